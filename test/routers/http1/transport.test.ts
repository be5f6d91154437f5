/** Memory that one connection reads into is lent to another until that has sent it: nobody writes over it before. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { Transport, type TransportOwner } from '../../../routers/http1/transport.ts';
import { RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft } from '../../support/rig.ts';
import { until } from '../../support/until.ts';

const PIECE = 65536;
/** So often a connection changes its read buffer; from then on it keeps its own. */
const CHANGES_MAX = 1000;

class End implements TransportOwner {
  transport!: Transport;
  received = 0;
  drains = 0;
  closed = false;
  forward: ((buffer: Buffer, start: number, end: number) => void) | undefined;

  onBytes(buffer: Buffer, start: number, end: number): void {
    this.received += end - start;
    this.forward?.(buffer, start, end);
  }
  onEnd(): void {}
  onDrain(): void {
    this.drains++;
  }
  onClosed(): void {
    this.closed = true;
  }
}

let server: net.Server;
let ends: End[];
let clients: RawClient[];
beforeEach(async () => {
  ends = [];
  clients = [];
  server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    const end = new End();
    end.transport = Transport.accept(socket, end);
    ends.push(end);
  });
  server.listen(0, '127.0.0.1');
  await until(() => server.listening, 'a listener');
});
afterEach(async () => {
  server.close();
  for (const client of clients) await client.close();
  for (const { transport } of ends) transport.destroy();
  await until(() => ends.every((end) => end.closed), 'the end of all connections');
});
after(noSocketsLeft);

async function connected(): Promise<{ client: RawClient; end: End }> {
  const before = ends.length;
  const client = await RawClient.connect((server.address() as net.AddressInfo).port);
  clients.push(client);
  await until(() => ends.length > before, 'an accepted connection');
  return { client, end: ends.at(-1) as End };
}

/** Sends pieces of `a` through, one by one, until the other side has not taken one of them. */
async function fill(sender: RawClient, from: End, to: End): Promise<number> {
  let taken = true;
  from.forward = (buffer, start, end) => {
    if (to.transport.writeBytes(from.transport, buffer, start, end)) return;
    taken = false;
    from.transport.pause();
  };
  let sent = 0;
  while (taken) {
    sender.send(Buffer.alloc(PIECE, 'a'));
    sent += PIECE;
    await until(() => from.received === sent || !taken, 'a piece to come through');
  }
  return sent;
}

describe('A read buffer that another connection has not sent yet', () => {
  for (const changes of [0, CHANGES_MAX - 2, CHANGES_MAX, CHANGES_MAX + 2]) {
    it(`is not read into when its owner goes on, after ${changes} changes of buffers`, async () => {
      const { client: sender, end: from } = await connected();
      const { client: reader, end: to } = await connected();
      reader.socket.pause();
      for (let i = 0; i < changes / 2; i++) {
        from.transport.readLarge(true);
        from.transport.readLarge(false);
      }
      from.transport.readLarge(true);
      const sent = await fill(sender, from, to);
      // The message is complete as far as this side is concerned, and the next one follows.
      from.forward = undefined;
      from.transport.readLarge(false);
      from.transport.resume();
      sender.send(Buffer.alloc(PIECE, 'b'));
      await until(() => from.received === sent + PIECE, 'the next message');
      reader.socket.resume();
      await until(() => reader.received === sent, 'all that was sent');
      assert.equal(reader.text.indexOf('b'), -1, 'bytes of the next message in this one');
      assert.equal(to.drains, 1);
    });
  }
});

describe('A connection', () => {
  it('shares its listeners with all others, and has no function of its own that a socket refers to', async () => {
    const [one, other] = [await connected(), await connected()];
    const functions = ({ end }: { end: End }): unknown[] => {
      const { socket } = end.transport;
      const { _handle } = socket as unknown as { _handle: { onread: unknown } };
      return [_handle.onread, ...socket.eventNames().flatMap((name) => socket.listeners(name))];
    };
    const own = new Set(functions(one));
    assert.ok(own.size >= 6, `${own.size}`);
    assert.deepEqual(
      functions(other).filter((shared) => !own.has(shared)),
      [],
    );
  });
});

describe('A connection that is being opened', () => {
  it('is not read from when it was paused before, until it goes on', async () => {
    const server = net.createServer((socket) => socket.write('hello'));
    server.listen(0, '127.0.0.1');
    await until(() => server.listening, 'a listener');
    const end = new End();
    let connected = false;
    const to = { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port };
    end.transport = Transport.connect(to, { noDelay: true }, end, () => {
      connected = true;
    });
    end.transport.pause();
    await until(() => connected, 'the connection');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(end.received, 0);
    end.transport.resume();
    await until(() => end.received === 5, 'what was sent meanwhile');
    end.transport.destroy();
    server.close();
    await until(() => end.closed, 'its end');
  });
});
