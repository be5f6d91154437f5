/**
 * The single-page application: static files that the build made, read once and served from memory. Every
 * page address is the same document; its links are relative, so it works behind a proxy that adds a path.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type AdminAnswer, type AdminRequest, headerOf, type Page, text } from '../page.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html;charset=UTF-8',
  '.js': 'text/javascript;charset=UTF-8',
  '.css': 'text/css;charset=UTF-8',
  '.svg': 'image/svg+xml;charset=UTF-8',
};
const FOLDERS = ['/files', '/admin/files'];
const PAGES = ['/', '/services', '/delegator', '/logging', '/help'];
/** Nothing but what this server has may run or be loaded. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Next to the built program, or where the build puts it when the sources are run. */
function folder(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../../../dist/ui/' : './ui/', import.meta.url);
}

export function uiPages(files = readFiles(folder())): Page[] {
  const get = (path: string, answer: Page['answer']): Page => ({ path, methods: ['GET'], answer });
  const document = files.get('index.html');
  const missing = text(503, 'The pages have not been built: npm run build\n');
  const index: Page['answer'] = (request) =>
    document === undefined ? missing : fileAnswer(document, request);
  return [
    ...PAGES.map((path) => get(path, index)),
    ...FOLDERS.flatMap((folder) =>
      [...files].map(([name, file]) => get(`${folder}/${name}`, (request) => fileAnswer(file, request))),
    ),
    // The icon is in the page.
    get('/favicon.ico', () => ({ status: 204, body: '' })),
  ];
}

type File = { readonly type: string; readonly text: string; readonly gzip: Buffer };

function readFiles(from: URL): ReadonlyMap<string, File> {
  try {
    const names = readdirSync(from).filter((name) => TYPES[extname(name)] !== undefined);
    return new Map(
      names.map((name) => {
        const bytes = readFileSync(new URL(name, from));
        const type = TYPES[extname(name)] ?? '';
        return [name, { type, text: bytes.toString('utf8'), gzip: gzipSync(bytes, { level: 9 }) }];
      }),
    );
  } catch {
    return new Map();
  }
}

function fileAnswer(file: File, request: AdminRequest): AdminAnswer {
  const headers = { 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer' };
  const answer = { status: 200, type: file.type };
  if (!/\bgzip\b/.test(headerOf(request, 'accept-encoding'))) return { ...answer, headers, body: file.text };
  return {
    ...answer,
    headers: { ...headers, 'content-encoding': 'gzip', vary: 'accept-encoding' },
    body: file.gzip,
  };
}
