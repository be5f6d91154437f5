/** A namer whose answers a test sets, by printed path, and which counts who is listening. */
import { type Addr, leaf, type Name, type Namer, type NameTree, neg } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import { type Activity, failed, ok, pending, type State } from '../../src/base/activity.ts';
import { Failure } from '../../src/base/failure.ts';
import { Cell, constant, Lazy } from '../../src/base/var.ts';

export type Answer = State<NameTree<Name>>;

export const noAddr = constant<Addr>({ type: 'neg' });

/** A bound name with nothing left over; equal ids share an address set. */
export const boundTo = (id: Path): NameTree<Name> =>
  leaf<Name>({ type: 'bound', id, addr: noAddr, residual: Path.empty });

export const broken: Answer = failed(new Failure('naming', 'the namer is broken'));

export class FakeNamer implements Namer {
  /** Subscriptions that are open now. */
  listening = 0;
  /** Subscriptions opened so far, by path. */
  readonly asked: string[] = [];
  readonly #cells = new Map<string, Cell<Answer>>();
  readonly #otherwise: Answer;

  constructor(otherwise: Answer = ok(neg)) {
    this.#otherwise = otherwise;
  }

  set(path: string, answer: Answer): void {
    this.#cell(path).set(answer);
  }

  exists(path: string): void {
    this.set(path, ok(boundTo(new Path(path.split('/').slice(1)))));
  }

  goes(path: string): void {
    this.set(path, ok(neg));
  }

  waits(path: string): void {
    this.set(path, pending);
  }

  current(path: string): Answer {
    return this.#cell(path).current;
  }

  lookup(path: Path): Activity<NameTree<Name>> {
    const cell = this.#cell(path.show);
    return new Lazy<Answer>((set) => {
      this.listening++;
      this.asked.push(path.show);
      const subscription = cell.observe(set);
      return {
        close: () => {
          this.listening--;
          subscription.close();
        },
      };
    });
  }

  #cell(path: string): Cell<Answer> {
    let cell = this.#cells.get(path);
    if (cell === undefined) {
      cell = new Cell(this.#otherwise);
      this.#cells.set(path, cell);
    }
    return cell;
  }
}
