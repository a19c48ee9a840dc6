import { ConfigError } from '@strongroom/platform/config';
import type { ProfileConfig } from '../config.ts';
import { createMailboxPort } from './mailbox-port.ts';
import type { MessagePort } from './message-port.ts';
import { createSmtpPort } from './smtp-port.ts';
import { createWebhookPort } from './webhook-port.ts';

/** The port that MESSAGE_PORT names, with what it needs. */
export async function createMessagePort(config: ProfileConfig): Promise<MessagePort> {
  switch (config.MESSAGE_PORT) {
    case 'mailbox':
      if (config.STRONGROOM_ENV === 'production') {
        throw new ConfigError([
          { variable: 'MESSAGE_PORT', rule: 'smtp or webhook in production: nobody reads a folder' },
        ]);
      }
      return await createMailboxPort(config.MAILBOX_DIR);
    case 'smtp':
      return createSmtpPort({
        host: required(config.SMTP_HOST, 'SMTP_HOST'),
        port: config.SMTP_PORT,
        user: config.SMTP_USER,
        password: config.SMTP_PASSWORD?.reveal(),
        from: config.MESSAGE_FROM,
        requireTls: config.STRONGROOM_ENV === 'production',
      });
    case 'webhook':
      return createWebhookPort({
        url: required(config.MESSAGE_WEBHOOK_URL, 'MESSAGE_WEBHOOK_URL'),
        secret: required(config.MESSAGE_WEBHOOK_SECRET, 'MESSAGE_WEBHOOK_SECRET').reveal(),
      });
    default:
      return config.MESSAGE_PORT satisfies never;
  }
}

function required<T>(value: T | undefined, variable: string): T {
  if (value === undefined) throw new ConfigError([{ variable, rule: 'needed by MESSAGE_PORT' }]);
  return value;
}
