/** Raw cases about the order of messages, endpoints that misbehave, and peers that are slow. */
import { endpoints } from './cases/endpoints.ts';
import { flow } from './cases/flow.ts';
import { slowPeers } from './cases/slow.ts';
import { closesLanes, table } from './run-table.ts';

closesLanes();
table('The flow of messages', flow);
table('An endpoint that misbehaves', endpoints);
table('A slow peer', slowPeers, 12);
