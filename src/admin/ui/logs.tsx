/** How much is logged, changed at run time. */
import { useState } from 'preact/hooks';
import { useFetched } from './use-fetched.ts';

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL', 'OFF'];

type Logger = { readonly logger: string; readonly level: string };

export function Logs() {
  const [asked, setAsked] = useState(0);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const loggers = useFetched<readonly Logger[]>(`logging.json?asked=${asked}`);
  const set = async (logger: string, level: string): Promise<void> => {
    setProblem(await change(logger, level));
    setAsked((before) => before + 1);
  };
  return (
    <>
      <h1>Logs</h1>
      {loggers.error !== undefined && <p class="error">{loggers.error}</p>}
      {problem !== undefined && <p class="error">{problem}</p>}
      <section class="card" aria-labelledby="levels-title">
        <h2 id="levels-title">Levels</h2>
        <p class="muted">
          Lines of the chosen level and above are written to standard output, until the process ends.
        </p>
        {loggers.value?.length === 0 && <p class="empty">This process writes no log.</p>}
        {loggers.value?.map(({ logger, level }) => (
          <fieldset key={logger}>
            <legend>{logger}</legend>
            <div class="chips">
              {LEVELS.map((each) => (
                <button
                  key={each}
                  type="button"
                  class="chip"
                  aria-pressed={each === level}
                  onClick={() => void set(logger, each)}
                >
                  {each}
                </button>
              ))}
            </div>
          </fieldset>
        ))}
      </section>
    </>
  );
}

async function change(logger: string, level: string): Promise<string | undefined> {
  try {
    const response = await fetch(`logging.json?${new URLSearchParams({ logger, level })}`, {
      method: 'POST',
    });
    return response.ok ? undefined : (await response.text()) || `The router answered ${response.status}.`;
  } catch {
    return 'The router cannot be reached.';
  }
}
