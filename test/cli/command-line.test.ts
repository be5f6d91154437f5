import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseCommandLine } from '../../src/command-line.ts';

const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '));

function mistake(line: string): string {
  const command = parse(line);
  assert.equal(command.name, 'mistake');
  return command.name === 'mistake' ? command.message : '';
}

describe('parseCommandLine', () => {
  it('runs a configuration with and without the word', () => {
    const expected = { name: 'run', config: 'a.yaml', threads: 'auto' };
    assert.deepEqual(parse('run a.yaml'), expected);
    assert.deepEqual(parse('a.yaml'), expected);
    assert.deepEqual(parse('-'), { ...expected, config: '-' });
    assert.deepEqual(parse('run -'), { ...expected, config: '-' });
  });

  it('takes the number of data threads before or after the configuration', () => {
    assert.deepEqual(parse('run a.yaml --threads 2'), { name: 'run', config: 'a.yaml', threads: 2 });
    assert.deepEqual(parse('--threads=0 a.yaml'), { name: 'run', config: 'a.yaml', threads: 0 });
    assert.deepEqual(parse('a.yaml --threads auto'), { name: 'run', config: 'a.yaml', threads: 'auto' });
    assert.match(
      mistake('a.yaml --threads many'),
      /--threads takes auto or a number from 0 to 256, not many/,
    );
    assert.match(mistake('a.yaml --threads -1'), /not -1/);
    assert.match(mistake('a.yaml --threads'), /--threads needs a value/);
    assert.match(mistake('a.yaml --threads 1 --threads 2'), /--threads stands twice/);
  });

  it('validates in the two forms that there are', () => {
    assert.deepEqual(parse('validate a.yaml'), { name: 'validate', config: 'a.yaml' });
    assert.deepEqual(parse('-validate a.yaml'), { name: 'validate', config: 'a.yaml' });
    assert.deepEqual(parse('validate -'), { name: 'validate', config: '-' });
    assert.match(mistake('validate a.yaml --threads 1'), /unknown option --threads of validate/);
  });

  it('wants one configuration', () => {
    assert.match(mistake(''), /no command/);
    assert.match(mistake('run'), /run needs a configuration: a file, or - for standard input/);
    assert.match(mistake('validate'), /validate needs a configuration/);
    assert.match(mistake('a.yaml b.yaml'), /one configuration is enough: a.yaml, then b.yaml/);
  });

  it('starts the demo on the usual ports or on given ones', () => {
    assert.deepEqual(parse('demo'), { name: 'demo', ports: { outgoing: 4140, incoming: 4141, admin: 9990 } });
    assert.deepEqual(parse('demo --outgoing-port 1 --incoming-port=2 --admin-port 3'), {
      name: 'demo',
      ports: { outgoing: 1, incoming: 2, admin: 3 },
    });
    assert.match(mistake('demo --admin-port 4140'), /--outgoing-port and --admin-port are both 4140/);
    assert.match(mistake('demo --admin-port 0'), /--admin-port takes a port from 1 to 65535, not 0/);
    assert.match(mistake('demo a.yaml'), /demo takes no configuration, not a.yaml/);
  });

  it('shows help and version wherever they are asked for', () => {
    assert.deepEqual(parse('--help'), { name: 'help' });
    assert.deepEqual(parse('run -h'), { name: 'help' });
    assert.deepEqual(parse('--version'), { name: 'version' });
  });

  it('answers any words, and mistakes with one line that says where to look', () => {
    const word = fc.oneof(
      fc.constantFrom('run', 'validate', 'demo', '-', '--threads', '--admin-port', '1', 'auto'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const command = parseCommandLine(words);
        if (command.name === 'mistake') assert.match(command.message, /^turnout: .*\. Try: turnout --help$/);
      }),
    );
  });
});
