/** The ops of nametree.json. */
import assert from 'node:assert/strict';
import { evaluate } from '../../../dtab/evaluate.ts';
import { readTree } from '../../../dtab/parse.ts';
import { showTree } from '../../../dtab/show.ts';
import { equivalentTrees, simplify } from '../../../dtab/simplify.ts';
import { pathTreeOf, type TreeData, treeData } from '../encoding.ts';

export const ops = {
  parse({ text }: { text: string }): object {
    const tree = readTree(text);
    return { tree: treeData(tree), show: showTree(tree) };
  },
  show: ({ tree }: { tree: TreeData }) => ({ show: showTree(pathTreeOf(tree)) }),
  simplify: ({ tree }: { tree: TreeData }) => ({ tree: treeData(simplify(pathTreeOf(tree))) }),
  eval({ text }: { text: string }): object {
    const tree = readTree(text);
    const [plain, simplified] = [tree, simplify(tree)].map((each) => {
      const paths = evaluate(each, (path) => path.show);
      return paths === undefined ? null : paths.map((path) => path.show).sort();
    });
    assert.deepEqual(simplified, plain, 'the simplified tree evaluates differently');
    return { eval: plain };
  },
  equivalent: ({ left, right }: { left: string; right: string }) => ({
    result: equivalentTrees(readTree(left), readTree(right)),
  }),
};
