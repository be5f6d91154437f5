/** The entry of a data thread: a DataPlane that is told what to do by messages. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.ts';
import { systemClock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import type { Log } from '../base/log.ts';
import { DataPlane, type Ports } from './data-plane.ts';
import { beat } from './heartbeat.ts';
import { PortInterpreter } from './interpreter-port.ts';
import type { FromThread, ThreadData, ToThread } from './messages.ts';
import { failureToData } from './naming-messages.ts';
import { collectSoon } from './settle.ts';
import { SlabStats } from './stat-slab.ts';
import { StoryWriter } from './story-ring.ts';

function run(control: MessagePort, { plan, naming, pulse, stories }: ThreadData): void {
  const tell = (message: FromThread): void => control.postMessage(message);
  const interpreter = new PortInterpreter(naming);
  const stats = new SlabStats((messages) => tell({ op: 'stats', messages }));
  const told = new StoryWriter(stories);
  const plane = new DataPlane(plan, {
    binder: (router) => interpreter.binder(router),
    stats,
    clock: systemClock,
    tell(batch) {
      const taken = told.write(batch);
      if (taken) tell({ op: 'stories' });
      return taken;
    },
    log: toldLog(tell),
  });
  beat(pulse);
  const opened = (ports: Ports | Failure): void => {
    if (ports instanceof Failure) tell({ op: 'failed', failure: failureToData(ports) });
    else tell({ op: 'listening', ports });
  };
  control.on('message', (message: ToThread) => {
    switch (message.op) {
      case 'listen':
        void plane.listen(message.ports, message.reusePort).then(opened).then(collectSoon);
        break;
      case 'prepare':
        void plane.prepare(message.plan, message.ports, message.reusePort).then(opened);
        break;
      case 'commit':
        plane.commit();
        break;
      case 'abort':
        plane.abort();
        break;
      case 'tls':
        plane.replaceTls(message.replacement);
        break;
      case 'ticket-secret':
        plane.replaceTicketSecret(message.secret);
        break;
      case 'drain':
        void plane.drain(() => tell({ op: 'retired' })).then(() => tell({ op: 'drained' }));
        break;
      case 'clients':
        tell({ op: 'clients', question: message.question, clients: plane.clients() });
        break;
      case 'interests':
        plane.setInterests(message.interests);
        break;
      case 'close':
        tell({ op: 'closed', cut: plane.close() });
        interpreter.close();
        control.close();
        break;
    }
  });
}

/** Lines of a data thread are written by the control thread. */
function toldLog(tell: (message: FromThread) => void): Log {
  return {
    debugEnabled: false,
    debug() {},
    info: (message, fields = {}) => tell({ op: 'log', level: 'info', message, fields }),
    warn: (message, fields = {}) => tell({ op: 'log', level: 'warn', message, fields }),
    error: (message, fields = {}) => tell({ op: 'log', level: 'error', message, fields }),
  };
}

assert(parentPort !== null, 'a data thread is started by the control thread');
run(parentPort, workerData as ThreadData);
