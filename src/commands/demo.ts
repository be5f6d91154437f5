/** `turnout demo`: something to try, with nothing to install or configure. */
import { command, Mistake, port } from '../command.ts';
import { serving } from '../serving.ts';

export const demoCommand = command({
  name: 'demo',
  summary: 'two routers, TLS between them, and applications to try it on',
  options: {
    outgoingPort: port('port of the outgoing router', 4140),
    incomingPort: port('port of the incoming router', 4141),
    adminPort: port('port of the admin server', 9990),
  },
  run({ outgoingPort, incomingPort, adminPort }, _operands, terminal) {
    const ports = { outgoing: outgoingPort, incoming: incomingPort, admin: adminPort };
    const taken = new Map<number, string>();
    for (const [role, number] of Object.entries(ports)) {
      const other = taken.get(number);
      if (other !== undefined) throw new Mistake(`--${other}-port and --${role}-port are both ${number}`);
      taken.set(number, role);
    }
    // Its output is for people: the log has only what needs attention.
    return serving('WARNING', async (log) => {
      const { runDemo } = await import('../demo/demo.ts');
      return runDemo(ports, terminal, log);
    });
  },
});
