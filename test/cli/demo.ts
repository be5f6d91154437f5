/** A demo that runs as a user's would, and commands against it. */
import { get } from 'node:http';
import { dirname } from 'node:path';
import { freePorts, type Output, type Program, runProgram, startProgram } from './program.ts';

export class Demo {
  readonly program: Program;
  readonly admin: string;
  readonly outgoing: number;
  readonly incoming: number;

  constructor(program: Program, admin: string, outgoing: number, incoming: number) {
    this.program = program;
    this.admin = admin;
    this.outgoing = outgoing;
    this.incoming = incoming;
  }

  static async start(): Promise<Demo> {
    const [outgoing = 0, incoming = 0, admin = 0] = await freePorts(3);
    const ports = ['--outgoing-port', outgoing, '--incoming-port', incoming, '--admin-port', admin];
    const program = startProgram(['demo', ...ports.map(String)]);
    await program.says('Ctrl-C ends it');
    return new Demo(program, `127.0.0.1:${admin}`, outgoing, incoming);
  }

  get folder(): string {
    return dirname(this.configFile);
  }

  get configFile(): string {
    return /^Configuration: (.*)$/m.exec(this.program.stdout())?.[1] ?? '';
  }

  /** A command of the program, asking this demo. */
  turnout(...words: string[]): Promise<{ code: number | string } & Output> {
    return runProgram([...words, '--admin', this.admin]);
  }

  request(
    host: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; code: string; body: string }> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.outgoing, headers: { host, ...headers }, agent: false };
      get(options, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        const code = String(response.headers['turnout-err'] ?? '');
        response.on('end', () => resolve({ status: response.statusCode ?? 0, code, body }));
      }).on('error', reject);
    });
  }

  async close(): Promise<void> {
    this.program.child.kill('SIGINT');
    await this.program.ended();
  }
}
