/** The certificates that the configuration names: whose, by whom, until when, and who uses them. */
import { useFetched } from './use-fetched.ts';

type Certificate = {
  readonly file: string;
  readonly usedBy: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly notAfter: string;
  readonly key: string;
  readonly fingerprint256: string;
};

type Answer = {
  readonly certificates: readonly Certificate[];
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
};

const DAY_MS = 86_400_000;

export function Certificates() {
  const { value, error } = useFetched<Answer>('certificates.json');
  const list = (value?.certificates ?? []).toSorted((a, b) => a.notAfter.localeCompare(b.notAfter));
  return (
    <>
      <h1>Certificates</h1>
      {error !== undefined && <p class="error">{error}</p>}
      {value?.problems.map(({ file, problem }) => (
        <p key={file} class="error">{`${file}: ${problem}`}</p>
      ))}
      {value !== undefined && list.length === 0 ? (
        <p class="card empty">The configuration names no certificates: nothing is encrypted here.</p>
      ) : (
        <section class="card scroll" aria-label="Certificates">
          <table>
            <thead>
              <tr>
                <th scope="col">Subject</th>
                <th scope="col">Expires</th>
                <th scope="col">Names</th>
                <th scope="col">Issuer</th>
                <th scope="col">Key</th>
                <th scope="col">Used by</th>
              </tr>
            </thead>
            <tbody>
              {list.map((each) => (
                <Row key={`${each.file} ${each.fingerprint256}`} certificate={each} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      <p class="muted">As the files are now; a certificate is put in use soon after its file has changed.</p>
    </>
  );
}

function Row({ certificate }: { readonly certificate: Certificate }) {
  const { subject, notAfter, names, issuer, key, usedBy, file } = certificate;
  const days = Math.floor((Date.parse(notAfter) - Date.now()) / DAY_MS);
  const tone = days < 0 ? 'bad' : days < 7 ? 'poor' : 'good';
  return (
    <tr>
      <th scope="row">
        {subject}
        <div class="muted">
          <code>{file}</code>
        </div>
      </th>
      <td class={tone}>{`${days < 0 ? 'expired' : `${days} days left`}, ${notAfter.slice(0, 10)}`}</td>
      <td class="wraps">{names.join(', ') || '–'}</td>
      <td class="wraps">{issuer}</td>
      <td>{key}</td>
      <td class="wraps">
        {usedBy.map((place) => (
          <div key={place}>
            <code>{place}</code>
          </div>
        ))}
      </td>
    </tr>
  );
}
