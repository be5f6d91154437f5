/** Raw cases from attacks that were published. */
import { desync } from './cases/desync.ts';
import { closesLanes, table } from './run-table.ts';

closesLanes();
table('A published attack', desync);
