/** `turnout certs issue NAME...`: certificates signed by the authority. */
import { command, exitCode, fileName, Mistake, text, texts } from '../command.ts';
import { namespaceName, objectName } from '../kube-names.ts';
import { folder, lifetime, rsa } from './certs-ca.ts';

export const certsIssueCommand = command({
  name: 'issue',
  summary: 'issue a certificate for each NAME: DIR/NAME.pem and DIR/NAME.key',
  details: `  NAME is a DNS name (*.NAME goes to the file wildcard.NAME.pem) or an IP address. The certificate
  serves as server and as client. Keys are PKCS#8, for their owner only; several NAMEs have each their own.
  A file that is there is never overwritten.`,
  operands: { synopsis: 'NAME...', min: 1, max: 100, what: 'the name that the certificate is for' },
  options: {
    san: texts('NAME', 'a further name or IP address; may stand several times'),
    days: lifetime(365),
    rsa,
    dir: folder,
    ca: fileName('FILE', 'certificate of the authority, those above it behind it (DIR/ca.pem)'),
    caKey: fileName('FILE', 'key of the authority (DIR/ca.key)'),
    secret: text('NAME', 'print a Kubernetes Secret of this name: tls.crt, tls.key, ca.crt'),
    namespace: text('NAME', 'the namespace of the Secret'),
  },
  async run(options, names, { stdout, stderr }) {
    const { dir, san, days, secret } = options;
    if (secret !== undefined && names.length > 1) throw new Mistake('--secret takes one NAME only');
    if (secret === undefined && options.namespace !== undefined)
      throw new Mistake('--namespace is for --secret');
    const object = secret === undefined ? undefined : objectName(secret);
    const namespace = options.namespace === undefined ? undefined : namespaceName(options.namespace);
    const [{ authorityFiles }, { issueAll }] = await Promise.all([
      import('../certificates/authority-files.ts'),
      import('../certificates/issue.ts'),
    ]);
    const usual = authorityFiles(dir);
    const made = await issueAll({
      folder: dir,
      names,
      alternatives: san,
      days,
      keyType: options.rsa ? 'rsa' : 'ec',
      authority: { certFile: options.ca ?? usual.certFile, keyFile: options.caKey ?? usual.keyFile },
    });
    for (const { report, issued } of made) {
      if (object === undefined) stdout.write(report);
      else {
        const { secretManifest } = await import('../certificates/secret.ts');
        stderr.write(report);
        stdout.write(secretManifest({ name: object, namespace, ...issued }));
      }
    }
    return exitCode.done;
  },
});
