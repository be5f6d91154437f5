/** Whatever a caller's connection is at the moment, as its listener sees it. */
export interface CallerSide {
  /** There is a request without its answer, or a tunnel. */
  readonly busy: boolean;
  /** The next answer is the last. */
  drain(): void;
  /** Cuts it. */
  close(): void;
}
