/** Whatever opens something returns a Closable; closing twice is harmless. */
export interface Closable {
  close(): void;
}

export const nothingToClose: Closable = { close() {} };

/** Closes `parts` in reverse order, once. */
export function closeAll(parts: Closable[]): Closable {
  return {
    close() {
      for (let part = parts.pop(); part !== undefined; part = parts.pop()) part.close();
    },
  };
}
