/**
 * A peer that refuses our certificate says so by an alert, if it says anything. With TLS 1.3 a server's alert
 * comes after our side of the handshake is complete.
 */
const ALERTS: ReadonlySet<string> = new Set([
  'BAD_CERTIFICATE',
  'UNSUPPORTED_CERTIFICATE',
  'CERTIFICATE_REVOKED',
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_UNKNOWN',
  'CERTIFICATE_REQUIRED',
  'NO_CERTIFICATE',
  'UNKNOWN_CA',
  'ACCESS_DENIED',
]);

/** The alert in words, or undefined when the error is of another kind. */
export function certificateAlert(error: Error | undefined): string | undefined {
  // `ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED`
  const alert = /ALERT_(\w+)$/.exec((error as NodeJS.ErrnoException | undefined)?.code ?? '')?.[1];
  return alert !== undefined && ALERTS.has(alert) ? alert.toLowerCase().replaceAll('_', ' ') : undefined;
}
