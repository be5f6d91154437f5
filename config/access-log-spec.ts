/** The keys of a router's access log, which together are one object of the checked configuration. */
import {
  bool,
  checked,
  type Decoder,
  int,
  nonEmpty,
  oneOf,
  optional,
  string,
  withDefault,
} from './decode.ts';
import type { AccessLogSpec } from './spec.ts';

const rollPolicy: Decoder<string> = checked(string, (text) =>
  /^(never|hourly|daily|weekly\([1-7]\)|[1-9][0-9]{0,8}\.(kilo|mega|giga|tera)?bytes?)$/i.test(text)
    ? undefined
    : `expected never, hourly, daily, weekly(n) or a size such as 3.megabytes, got "${text}"`,
);

export const accessLogKeys = {
  httpAccessLog: optional(nonEmpty),
  httpAccessLogFormat: optional(oneOf(['common', 'json'])),
  httpAccessLogRollPolicy: withDefault(rollPolicy, 'never'),
  httpAccessLogAppend: withDefault(bool, true),
  httpAccessLogRotateCount: withDefault(int(), -1),
};

/** Undefined when there is none: the other keys alone ask for nothing, as in linkerd. */
export function accessLogOf(router: {
  readonly httpAccessLog?: string | undefined;
  readonly httpAccessLogFormat?: AccessLogSpec['format'] | undefined;
  readonly httpAccessLogRollPolicy: string;
  readonly httpAccessLogAppend: boolean;
  readonly httpAccessLogRotateCount: number;
}): AccessLogSpec | undefined {
  const { httpAccessLog: path, httpAccessLogFormat: format } = router;
  if (path === undefined) return undefined;
  return {
    path,
    format: format ?? (path === 'stdout' ? 'json' : 'common'),
    rollPolicy: router.httpAccessLogRollPolicy,
    append: router.httpAccessLogAppend,
    keep: router.httpAccessLogRotateCount,
  };
}
