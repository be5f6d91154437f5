/** Raw cases about where messages of callers end: whatever two parsers could read differently goes no further. */
import { chunks } from './cases/chunks.ts';
import { contentLength } from './cases/content-length.ts';
import { transferEncoding } from './cases/transfer-encoding.ts';
import { closesLanes, table } from './run-table.ts';

closesLanes();
table('Transfer-Encoding of a request', transferEncoding);
table('Content-Length of a request', contentLength);
table('A chunked request', chunks);
