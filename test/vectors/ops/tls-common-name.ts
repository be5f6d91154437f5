/**
 * The ops of tls-common-name.json: the `client` section as the configuration decodes it, and the peer's name.
 */
import { clientSection } from '../../../config/client-spec.ts';
import { clientTlsFor } from '../../../config/client-tls.ts';
import { bad } from '../../../config/decode.ts';
import { Diagnostics, renderDiagnostic } from '../../../config/errors.ts';
import { parseText } from '../../../config/yaml.ts';
import { readPath } from '../../../dtab/parse.ts';
import { verifyPeerName } from '../../../routers/tls/verify-name.ts';
import { Failure } from '../../../src/base/failure.ts';

type ClientTls = { client: unknown; clientName: string };
type VerifyPeer = { serverName: string; certificate: { cn: string; dnsAltNames: string[] } };

function clientTls({ client, clientName }: ClientTls): unknown {
  const diagnostics = new Diagnostics('vector', JSON.stringify(client));
  const value = parseText(diagnostics);
  const section = value && clientSection(value, 'client', { diagnostics, readable: () => 'file' });
  if (section === undefined || section === bad || diagnostics.failed) {
    return { error: true, when: 'config', message: diagnostics.errors().map(renderDiagnostic).join('\n') };
  }
  const choice = clientTlsFor(section, readPath(clientName));
  if (choice instanceof Failure) return { error: true, when: 'client', message: choice.message };
  if (choice.type === 'plain') return { tls: null };
  const { type: _, serverName = null, ...tls } = choice;
  return { tls: { serverName, ...tls } };
}

export const ops: Record<string, (vector: unknown) => unknown> = {
  'client-tls': (vector) => clientTls(vector as ClientTls),
  'verify-peer': (vector) => {
    const { serverName, certificate } = vector as VerifyPeer;
    return { accepted: verifyPeerName(serverName, certificate) };
  },
};
