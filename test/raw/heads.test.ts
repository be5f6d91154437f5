/** Raw cases about heads: odd bytes at odd places, request lines, and what Connection may take away. */
import { connectionFields } from './cases/connection-fields.ts';
import { headerBytes, oddBytesOfCallers, oddBytesOfEndpoints } from './cases/header-bytes.ts';
import { requestLines } from './cases/request-lines.ts';
import { closesLanes, table, tables } from './run-table.ts';

closesLanes();
table('Header lines', headerBytes);
tables('An odd byte of a caller', oddBytesOfCallers);
tables('An odd byte of an endpoint', oddBytesOfEndpoints);
table('A request line', requestLines);
table('Fields of the connection', connectionFields);
