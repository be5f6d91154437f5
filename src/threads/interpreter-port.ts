/**
 * The interpreter across a MessagePort. The control side binds names and watches their address sets; the data
 * side offers each router a Binder that looks as if it were here (`localBinder` is that, for one thread).
 * Address sets are shared by id: one subscription on the control side, one Var on the data side however often
 * the trees around it change, one small message an update. When the port closes, the data side keeps what it
 * last knew.
 */
import type { MessagePort } from 'node:worker_threads';
import { mapTree } from '../../dtab/lookup.ts';
import type { Addr, Bound, Dtab, NameTree } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import type { Binder, Binding } from '../../routers/binding/binder.ts';
import type { IngressRules } from '../../routers/identify/ingress-rules.ts';
import { type Activity, failed, ok, pending, type State } from '../base/activity.ts';
import { type Closable, nothingToClose } from '../base/closable.ts';
import { Cell, Lazy, type Var } from '../base/var.ts';
import {
  type AddrData,
  addrFromData,
  addrToData,
  dtabFromData,
  dtabToData,
  failureFromData,
  failureToData,
  type LeafData,
  type StateData,
  type ToControl,
  type ToData,
} from './naming-messages.ts';
import { type Explanation, notedBinding } from './noted-binding.ts';

/** What the control side knows, by the number of the router. */
export interface NameSource {
  bind(router: number, localDtab: Dtab, path: Path): Activity<NameTree<Bound>>;
  /** Why a name is bound to nothing. */
  explain?(router: number, localDtab: Dtab, path: Path): Explanation;
  /** The table of the router's identifier at that place of its list. */
  ingress(router: number, identifier: number): Activity<IngressRules>;
}

/** The Binder of router number `router` on the thread of its interpreter. */
export function localBinder(router: number, source: NameSource): Binder {
  return {
    bind: (localDtab, path) =>
      notedBinding(source.bind(router, localDtab, path), () => source.explain?.(router, localDtab, path)),
    ingress: (identifier) => source.ingress(router, identifier),
  };
}

/** Answers the PortInterpreter at the other end of `port`, until that end or the result is closed. */
export function serveInterpreters(port: MessagePort, source: NameSource): Closable {
  const server = new InterpreterServer(port, source);
  port.on('message', (message: ToControl) => server.receive(message));
  port.on('close', () => server.close());
  return {
    close() {
      server.close();
      port.close();
    },
  };
}

type ServedSet = {
  readonly number: number;
  readonly key: string;
  source: Var<Addr>;
  subscription: Closable;
  addr: Addr;
  refresh: (() => void) | undefined;
  /** Leaves sent that refer to this set and have not been given back. */
  references: number;
};

class InterpreterServer implements Closable {
  readonly #port: MessagePort;
  readonly #source: NameSource;
  readonly #observations = new Map<number, Closable>();
  readonly #sets = new Map<number, ServedSet>();
  readonly #setsById = new Map<string, ServedSet>();
  #lastSet = 0;
  #closed = false;

  constructor(port: MessagePort, source: NameSource) {
    this.#port = port;
    this.#source = source;
  }

  receive(message: ToControl): void {
    if (this.#closed) return;
    switch (message.op) {
      case 'observe': {
        if (this.#observations.has(message.observation)) return;
        const binder = localBinder(message.router, this.#source);
        const bindings = binder.bind(dtabFromData(message.dtab), new Path(message.path));
        this.#observations.set(
          message.observation,
          bindings.observe((state) => this.#tell(message.observation, state)),
        );
        return;
      }
      case 'observe-ingress': {
        const { observation, router, identifier } = message;
        if (this.#observations.has(observation)) return;
        const table = this.#source.ingress(router, identifier).observe((state) => {
          const data = state.state === 'failed' ? { ...state, failure: failureToData(state.failure) } : state;
          this.#post({ op: 'ingress', observation, state: data });
        });
        this.#observations.set(observation, table);
        return;
      }
      case 'unobserve':
        this.#observations.get(message.observation)?.close();
        this.#observations.delete(message.observation);
        return;
      case 'refresh':
        this.#sets.get(message.set)?.refresh?.();
        return;
      case 'drop':
        this.#drop(message.set, message.references);
    }
  }

  close(): void {
    this.#closed = true;
    for (const observation of this.#observations.values()) observation.close();
    for (const set of this.#sets.values()) set.subscription.close();
    this.#observations.clear();
    this.#sets.clear();
    this.#setsById.clear();
  }

  #tell(observation: number, state: State<Binding>): void {
    const added: ServedSet[] = [];
    const data = this.#stateToData(state, added);
    const sets = added.map((set) => ({ set: set.number, addr: addrToData(set.addr) }));
    this.#post({ op: 'state', observation, state: data, sets });
  }

  #stateToData(state: State<Binding>, added: ServedSet[]): StateData {
    if (state.state === 'pending') return state;
    if (state.state === 'failed') {
      const { cause } = state.failure;
      const failure = failureToData(state.failure);
      return { state: 'failed', failure, ...(typeof cause === 'string' && { note: cause }) };
    }
    const { tree, note } = state.value;
    const data = mapTree(tree, (bound) => this.#leafToData(bound, added));
    return { state: 'ok', tree: data, ...(note !== undefined && { note }) };
  }

  #leafToData(bound: Bound, added: ServedSet[]): LeafData {
    const set = this.#setsById.get(bound.id.show) ?? this.#newSet(bound);
    if (set.source !== bound.addr) this.#follow(set, bound.addr);
    if (set.references === 0) added.push(set);
    set.references++;
    set.refresh = bound.refresh;
    return { set: set.number, id: bound.id.segments, residual: bound.residual.segments };
  }

  #newSet(bound: Bound): ServedSet {
    const set: ServedSet = {
      number: ++this.#lastSet,
      key: bound.id.show,
      source: bound.addr,
      subscription: nothingToClose,
      addr: { type: 'pending' },
      refresh: undefined,
      references: 0,
    };
    this.#sets.set(set.number, set);
    this.#setsById.set(set.key, set);
    this.#follow(set, bound.addr);
    return set;
  }

  /** Takes the addresses from `source`, which is observed before the earlier one is let go. */
  #follow(set: ServedSet, source: Var<Addr>): void {
    const earlier = set.subscription;
    set.source = source;
    set.subscription = source.observe((addr) => {
      if (set.source !== source || set.addr === addr) return;
      // A source that starts again knows less than its predecessor did.
      if (addr.type === 'pending' && set.addr.type !== 'pending') return;
      set.addr = addr;
      if (set.references > 0) this.#post({ op: 'addr', set: set.number, addr: addrToData(addr) });
    });
    earlier.close();
  }

  #drop(number: number, references: number): void {
    const set = this.#sets.get(number);
    if (set === undefined) return;
    set.references -= references;
    if (set.references > 0) {
      this.#post({ op: 'addr', set: number, addr: addrToData(set.addr) });
      return;
    }
    this.#sets.delete(number);
    this.#setsById.delete(set.key);
    set.subscription.close();
  }

  #post(message: ToData): void {
    if (!this.#closed) this.#port.postMessage(message);
  }
}

type StateMessage = Extract<ToData, { readonly op: 'state' }>;

type Observation = { readonly tell: (state: State<Binding>) => void; sets: readonly KnownSet[] };

type KnownSet = {
  readonly number: number;
  readonly cell: Cell<Addr>;
  readonly addr: Var<Addr>;
  /** Trees that are in force, and observers of `addr`. */
  uses: number;
  /** Leaves received since the control side was last told. */
  received: number;
};

/** The data side. Closing it lets go of everything on the control side; what is observed stays as it is. */
export class PortInterpreter implements Closable {
  readonly #port: MessagePort;
  readonly #observations = new Map<number, Observation>();
  readonly #sets = new Map<number, KnownSet>();
  readonly #tables = new Map<number, (state: State<IngressRules>) => void>();
  #lastObservation = 0;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ToData) => this.#receive(message));
    port.on('close', () => {
      this.#closed = true;
    });
  }

  binder(router: number): Binder {
    return {
      bind: (localDtab, path) => this.#observe(router, localDtab, path),
      ingress: (identifier) => this.#observeIngress(router, identifier),
    };
  }

  close(): void {
    this.#closed = true;
    this.#port.close();
  }

  #observe(router: number, localDtab: Dtab, path: Path): Activity<Binding> {
    return new Lazy<State<Binding>>((tell) => {
      const observation = ++this.#lastObservation;
      const own: Observation = { tell, sets: [] };
      tell(pending);
      this.#observations.set(observation, own);
      const dtab = dtabToData(localDtab);
      this.#post({ op: 'observe', observation, router, dtab, path: path.segments });
      return {
        close: () => {
          this.#observations.delete(observation);
          this.#post({ op: 'unobserve', observation });
          for (const set of own.sets) this.#release(set);
        },
      };
    });
  }

  #observeIngress(router: number, identifier: number): Activity<IngressRules> {
    return new Lazy<State<IngressRules>>((tell) => {
      const observation = ++this.#lastObservation;
      tell(pending);
      this.#tables.set(observation, tell);
      this.#post({ op: 'observe-ingress', observation, router, identifier });
      return {
        close: () => {
          this.#tables.delete(observation);
          this.#post({ op: 'unobserve', observation });
        },
      };
    });
  }

  #receive(message: ToData): void {
    if (this.#closed) return;
    if (message.op === 'addr') this.#setAddr(message.set, message.addr);
    if (message.op === 'state') this.#setState(message);
    if (message.op === 'ingress') {
      const { observation, state } = message;
      this.#tables.get(observation)?.(
        state.state === 'failed' ? failed(failureFromData(state.failure)) : state,
      );
    }
  }

  #setAddr(number: number, data: AddrData): void {
    this.#sets.get(number)?.cell.set(addrFromData(data));
  }

  #setState({ observation: number, state: data, sets: added }: StateMessage): void {
    const sets: KnownSet[] = [];
    const state = this.#stateFromData(data, sets);
    for (const { set, addr } of added) this.#setAddr(set, addr);
    const observation = this.#observations.get(number);
    const earlier = observation === undefined ? sets : observation.sets;
    if (observation !== undefined) {
      observation.sets = sets;
      observation.tell(state);
    }
    // An observation that has ended meanwhile gives back what it was just sent.
    for (const set of earlier) this.#release(set);
  }

  #stateFromData(data: StateData, sets: KnownSet[]): State<Binding> {
    if (data.state === 'pending') return pending;
    if (data.state === 'failed') return failed(failureFromData(data.failure, data.note));
    const tree = mapTree(data.tree, (leaf): Bound => {
      const set = this.#referTo(leaf.set);
      sets.push(set);
      return {
        type: 'bound',
        id: new Path(leaf.id),
        addr: set.addr,
        residual: new Path(leaf.residual),
        refresh: () => this.#post({ op: 'refresh', set: leaf.set }),
      };
    });
    return ok(data.note === undefined ? { tree } : { tree, note: data.note });
  }

  #referTo(number: number): KnownSet {
    let set = this.#sets.get(number);
    if (set === undefined) {
      set = this.#newSet(number);
      this.#sets.set(number, set);
    }
    set.uses++;
    set.received++;
    return set;
  }

  #newSet(number: number): KnownSet {
    const cell = new Cell<Addr>({ type: 'pending' });
    const set: KnownSet = {
      number,
      cell,
      addr: new Lazy<Addr>((tell) => {
        set.uses++;
        const observation = cell.observe(tell);
        return {
          close: () => {
            observation.close();
            this.#release(set);
          },
        };
      }),
      uses: 0,
      received: 0,
    };
    return set;
  }

  #release(set: KnownSet): void {
    set.uses--;
    if (set.uses > 0 || this.#sets.get(set.number) !== set) return;
    this.#sets.delete(set.number);
    this.#post({ op: 'drop', set: set.number, references: set.received });
  }

  #post(message: ToControl): void {
    if (!this.#closed) this.#port.postMessage(message);
  }
}
