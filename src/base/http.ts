/**
 * `node:http`, not imported: to make an ES module of it Node asks each of its exports, among them WebSocket,
 * and so loads its whole client for `fetch`, which costs some 2 MB of idle memory.
 */
export const http = process.getBuiltinModule('node:http');
