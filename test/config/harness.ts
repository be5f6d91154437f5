/** Loads configurations in tests: files exist by their names, unless a test says otherwise. */
import assert from 'node:assert/strict';
import { renderDiagnostic } from '../../config/errors.ts';
import { type Loaded, loadConfig } from '../../config/load.ts';
import type { LinkerSpec, RouterSpec } from '../../config/spec.ts';

/**
 * Names with a dot after the last slash are files, those with `missing` are missing, the rest are
 * directories.
 */
export function readable(path: string): 'file' | 'directory' | 'missing' {
  if (path.includes('missing')) return 'missing';
  return /\.[^/]*$/.test(path) ? 'file' : 'directory';
}

export function load(text: string): Loaded {
  return loadConfig(text, { source: 'linkerd.yaml', readable });
}

/** The spec and the warnings (first lines) of a good configuration. */
export function good(text: string): { spec: LinkerSpec; warnings: string[] } {
  const loaded = load(text);
  if ('errors' in loaded) assert.fail(loaded.errors.map(renderDiagnostic).join('\n'));
  return { spec: loaded.spec, warnings: loaded.warnings.map(oneLine) };
}

/** The errors of a bad configuration, `line:column path: message`. */
export function errorsOf(text: string): string[] {
  const loaded = load(text);
  assert.ok('errors' in loaded, 'the configuration was accepted');
  return loaded.errors.map(oneLine);
}

/** The one router of a configuration that has nothing but these lines and a server. */
export function router(lines: string): RouterSpec {
  const [first] = good(routerText(lines)).spec.routers;
  assert.ok(first);
  return first;
}

export function routerErrors(lines: string): string[] {
  return errorsOf(routerText(lines));
}

export function routerText(lines: string): string {
  const servers = /^servers:/m.test(lines) ? '' : '  servers: [{port: 4140}]\n';
  const body = lines.trimEnd().replace(/^(?=.)/gm, '  ');
  return `routers:\n- protocol: http\n${servers}${body}\n`;
}

function oneLine(diagnostic: { line: number; column: number; path: string; message: string }): string {
  return `${diagnostic.line}:${diagnostic.column} ${diagnostic.path}: ${diagnostic.message}`;
}
