import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { Transport, type TransportOwner } from '../../../routers/http1/transport.ts';
import { CertificateAuthority } from '../../../src/certs.ts';

/** Collects what a transport tells. */
class Heard implements TransportOwner {
  text = '';
  ended = false;
  drains = 0;
  closed = false;
  onText: () => void = () => {};
  onBytes(buffer: Buffer, start: number, end: number): void {
    this.text += buffer.toString('latin1', start, end);
    this.onText();
  }
  onEnd(): void {
    this.ended = true;
    this.onText();
  }
  onDrain(): void {
    this.drains++;
    this.onText();
  }
  onClosed(): void {
    this.closed = true;
    this.onText();
  }
  /** Resolves when it is so. */
  until(so: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.onText = () => {
        if (so()) resolve();
      };
      this.onText();
    });
  }
}

describe('a transport over TLS', () => {
  let server: tls.Server;
  let identity: { cert: string; key: string };
  const open: tls.TLSSocket[] = [];

  before(async () => {
    const authority = await CertificateAuthority.create({ commonName: 'test CA' });
    const { certPem, keyPem } = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
    identity = { cert: certPem, key: keyPem };
  });

  after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });

  async function pair(): Promise<{ heard: Heard; transport: Transport; caller: tls.TLSSocket }> {
    const heard = new Heard();
    server = tls.createServer({ ...identity, allowHalfOpen: true });
    const accepted = new Promise<Transport>((resolve) => {
      server.once('secureConnection', (socket) => resolve(Transport.accept(socket, heard)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const caller = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    open.push(caller);
    await once(caller, 'secureConnect');
    server.close();
    return { heard, transport: await accepted, caller };
  }

  it('sends in order what is written while an earlier write is under way, and ends after it', async () => {
    const { transport, caller } = await pair();
    let got = '';
    caller.setEncoding('latin1').on('data', (text) => {
      got += text;
    });
    const bytes = Buffer.from('three-');
    transport.write('one-');
    transport.write('two-');
    transport.writeBytes(undefined, bytes, 0, bytes.length);
    bytes.fill('x');
    transport.writeBytes(undefined, Buffer.from('four'), 0, 4, '[', ']');
    assert.equal(transport.flushed, false);
    transport.end();
    await once(caller, 'end');
    assert.equal(got, 'one-two-three-[four]');
    assert.equal(transport.flushed, true);
  });

  it('says that there is too much, and when there is room again', async () => {
    const { heard, transport, caller } = await pair();
    let count = 0;
    caller.on('data', (chunk: Buffer) => {
      count += chunk.length;
    });
    assert.equal(transport.write('x'.repeat(1000)), true);
    const more = Buffer.alloc(100_000, 'y');
    assert.equal(transport.write(more), false);
    assert.equal(transport.backlog, 101_000);
    assert.equal(heard.drains, 0);
    await heard.until(() => heard.drains === 1);
    assert.equal(transport.backlog, 0);
    transport.end();
    await once(caller, 'end');
    assert.equal(count, 101_000);
  });

  it('hands out nothing while it is paused, and everything in order afterwards, the end last', async () => {
    const { heard, transport, caller } = await pair();
    let pausedText = '';
    const wanted = 'a'.repeat(40_000) + 'b'.repeat(40_000);
    // Within the first piece: what the same read has brought besides is decrypted all the same.
    await new Promise<void>((resolve) => {
      heard.onText = () => {
        heard.onText = () => assert.fail('told something while it was paused');
        transport.pause();
        pausedText = heard.text;
        resolve();
      };
      caller.end(wanted);
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard.text, pausedText);
    assert.equal(heard.ended, false);
    heard.onText = () => {};
    transport.resume();
    assert.equal(heard.text, pausedText, 'nothing is handed out within the call');
    await heard.until(() => heard.ended);
    assert.equal(heard.text, wanted);
    transport.end();
  });

  it('can be destroyed while a write is under way', async () => {
    const { heard, transport } = await pair();
    transport.write('one');
    transport.write('two');
    transport.destroy();
    transport.write('three');
    await heard.until(() => heard.closed);
    assert.equal(transport.backlog, 0);
  });
});
