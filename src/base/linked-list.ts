/**
 * A doubly linked list, for what comes and goes all the time. A Set or Map of it costs more than it seems: V8
 * chains every table that is full, if only of holes, to its successor (for iterators that are still in it),
 * so that once one of them is old, the members of all later ones survive the collections of the young
 * generation and are copied twice. A removed link refers to nothing.
 */
export class Link<T> {
  value: T;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
  linked = false;

  constructor(value: T) {
    this.value = value;
  }
}

export class LinkedList<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Link<T> | undefined {
    return this.#first;
  }

  /** At the end. */
  add(value: T): Link<T> {
    const link = new Link(value);
    this.#append(link);
    return link;
  }

  /** It stays the same link. */
  toEnd(link: Link<T>): void {
    if (this.remove(link)) this.#append(link);
  }

  /** False when it had been removed already. */
  remove(link: Link<T>): boolean {
    if (!link.linked) return false;
    if (link.previous === undefined) this.#first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    link.previous = undefined;
    link.next = undefined;
    link.linked = false;
    this.#size--;
    return true;
  }

  /** The links as they are now, so that each may be removed meanwhile. */
  links(): Link<T>[] {
    const links: Link<T>[] = [];
    for (let link = this.#first; link !== undefined; link = link.next) links.push(link);
    return links;
  }

  #append(link: Link<T>): void {
    link.previous = this.#last;
    if (this.#last === undefined) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    link.linked = true;
    this.#size++;
  }
}
