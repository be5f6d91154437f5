/** `turnout certs`: an authority of one's own and what it issues. */
import { group } from '../command.ts';
import { certsCaCommand } from './certs-ca.ts';
import { certsInspectCommand } from './certs-inspect.ts';
import { certsIssueCommand } from './certs-issue.ts';
import { certsVerifyCommand } from './certs-verify.ts';

export const certsCommand = group(
  'certs',
  'make, look at and check certificates',
  [certsCaCommand, certsIssueCommand, certsInspectCommand, certsVerifyCommand],
  `  turnout certs ca --dir certs
  turnout certs issue linkerd --dir certs
  turnout certs verify --dir certs --name linkerd`,
);
