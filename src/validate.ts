/**
 * `turnout validate`: checks the text of a configuration as a real start would, without opening a socket.
 * Answers every mistake, ready to print; none means that the configuration is good. Warnings go to `warn` in
 * both cases.
 */
import { renderDiagnostic } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import { checkTlsFiles } from './tls-files.ts';

/** `source` is the name of the text in messages: the file as given, or `<stdin>`. */
export function validateText(
  text: string,
  source: string,
  warn: (line: string) => void = toStandardError,
): readonly string[] {
  const loaded = loadConfig(text, { source });
  for (const warning of loaded.warnings) warn(`warning: ${renderDiagnostic(warning)}`);
  if ('errors' in loaded) return loaded.errors.map(renderDiagnostic);
  const files = checkTlsFiles(loaded.spec);
  for (const warning of files.warnings) warn(`warning: ${warning}`);
  return files.errors;
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`);
}
