/** The difference of two lists of lines, as ` ` same, `-` only in the first, `+` only in the second. */
export type DiffLine = { readonly sign: ' ' | '-' | '+'; readonly line: string };

/** By the longest common subsequence; what is the same at both ends is not compared. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const room = Math.min(before.length, after.length) - start;
  while (end < room && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const same = (line: string): DiffLine => ({ sign: ' ', line });
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

function middle(a: readonly string[], b: readonly string[]): readonly DiffLine[] {
  const width = b.length + 1;
  // lengths[i * width + j]: of the longest common part of a from i and b from j.
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const [right = 0, below = 0, diagonal = 0] = [
        lengths[i * width + j + 1],
        lengths[(i + 1) * width + j],
        lengths[(i + 1) * width + j + 1],
      ];
      lengths[i * width + j] = a[i] === b[j] ? diagonal + 1 : Math.max(right, below);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [fromA, fromB] = [a[i], b[j]];
    if (fromA !== undefined && fromA === fromB) {
      lines.push({ sign: ' ', line: fromA });
      i++;
      j++;
    } else if (
      fromA !== undefined &&
      (fromB === undefined || (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    ) {
      lines.push({ sign: '-', line: fromA });
      i++;
    } else {
      lines.push({ sign: '+', line: fromB ?? '' });
      j++;
    }
  }
  return lines;
}
