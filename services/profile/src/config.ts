import type { ConfigOf } from '@strongroom/platform/config';
import {
  defineConfig,
  integer,
  oneOf,
  platformVariables,
  port,
  secret,
  staleReadVariables,
  text,
  url,
} from '@strongroom/platform/config';

export const profileVariables = defineConfig({
  ...platformVariables,
  ...staleReadVariables,
  PORT: port({ default: 3004, doc: 'Port of the profile service.' }),
  MESSAGE_PORT: oneOf(['mailbox', 'smtp', 'webhook'], {
    default: 'mailbox',
    doc: 'How notices leave: files in MAILBOX_DIR (development), SMTP, or a webhook.',
  }),
  MAILBOX_DIR: text({ default: '.data/mailbox', maxLength: 1_024, doc: 'Folder of the development mailbox.' }),
  MESSAGE_FROM: text({ default: 'Strongroom <no-reply@strongroom.local>', maxLength: 255, doc: 'Sender of e-mails.' }),
  SMTP_HOST: text({ optional: true, maxLength: 255, doc: 'Mail server.' }),
  SMTP_PORT: integer({ default: 587, min: 1, max: 65_535, doc: 'Port of the mail server.' }),
  SMTP_USER: text({ optional: true, maxLength: 255, doc: 'User at the mail server.' }),
  SMTP_PASSWORD: secret({ optional: true, doc: 'Password at the mail server.' }),
  MESSAGE_WEBHOOK_URL: url({ optional: true, doc: 'Where a webhook takes messages, such as an SMS provider.' }),
  MESSAGE_WEBHOOK_SECRET: secret({
    optional: true,
    doc: 'Signs messages to the webhook (Standard Webhooks, whsec_…).',
  }),
  PUBLIC_URL: url({ default: 'http://127.0.0.1:3000', doc: 'Address of the gateway, for links in messages.' }),
});

export type ProfileConfig = ConfigOf<typeof profileVariables>;
