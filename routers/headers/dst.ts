/**
 * `l5d-dst-*`: how this router calls the request, for the service's information. Each block is made once,
 * with the path or client it describes, and appended to every request as it is. Names print as plain ASCII:
 * safe in a field.
 */
import { assert } from '../../src/base/assert.ts';
import { isFieldText } from './field-text.ts';

/** `name` is the printed service name. */
export function dstServiceBlock(name: string): string {
  assert(isFieldText(name), 'a printed name is safe in a field');
  return `l5d-dst-service: ${name}\r\n`;
}

/** Printed client id and residual path; `/` is the empty path, which has no field. */
export function dstClientBlock(id: string, residual: string): string {
  assert(isFieldText(id) && isFieldText(residual), 'a printed name is safe in a field');
  const client = `l5d-dst-client: ${id}\r\n`;
  return residual === '/' ? client : `${client}l5d-dst-residual: ${residual}\r\n`;
}
