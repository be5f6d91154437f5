/** Raw cases about tunnels: which a CONNECT opens, and what may be said in them. */
import { tunnels } from './cases/tunnels.ts';
import { closesLanes, table } from './run-table.ts';

closesLanes();
table('A CONNECT', tunnels);
