/** The ops of dtab.json. */
import { concatDtabs, lookup, prefixMatches } from '../../../dtab/lookup.ts';
import type { Dentry } from '../../../dtab/names.ts';
import { readDentry, readDtab, readPath, readPrefix } from '../../../dtab/parse.ts';
import { showDentry, showDtab, showPrefix } from '../../../dtab/show.ts';
import { equivalentDtabs, simplifyDtab, stripPrefix } from '../../../dtab/simplify.ts';
import { prefixData, treeData } from '../encoding.ts';

const dentryData = ({ prefix, dst }: Dentry) => ({ prefix: prefixData(prefix), dst: treeData(dst) });

export const ops = {
  parse({ text }: { text: string }): object {
    const dtab = readDtab(text);
    return { dentries: dtab.map(dentryData), show: showDtab(dtab) };
  },
  'parse-dentry'({ text }: { text: string }): object {
    const dentry = readDentry(text);
    return { dentry: dentryData(dentry), show: showDentry(dentry) };
  },
  'parse-prefix'({ text }: { text: string }): object {
    const prefix = readPrefix(text);
    return { prefix: prefixData(prefix), show: showPrefix(prefix) };
  },
  concat: ({ a, b }: { a: string; b: string }) => ({ show: showDtab(concatDtabs(readDtab(a), readDtab(b))) }),
  'strip-prefix': ({ dtab, prefix }: { dtab: string; prefix: string }) => ({
    show: showDtab(stripPrefix(readDtab(dtab), readDtab(prefix))),
  }),
  simplify: ({ dtab }: { dtab: string }) => ({ show: showDtab(simplifyDtab(readDtab(dtab))) }),
  equivalent: ({ left, right }: { left: string; right: string }) => ({
    result: equivalentDtabs(readDtab(left), readDtab(right)),
  }),
  lookup: ({ dtab, path }: { dtab: string; path: string }) => ({
    tree: treeData(lookup(readDtab(dtab), readPath(path))),
  }),
  'prefix-matches': ({ prefix, path }: { prefix: string; path: string }) => ({
    result: prefixMatches(readPrefix(prefix), readPath(path)),
  }),
};
