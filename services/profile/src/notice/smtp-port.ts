import { createTransport } from 'nodemailer';
import type { MessagePort } from './message-port.ts';

const connectionTimeoutMs = 10_000;
const socketTimeoutMs = 20_000;
const connectionsMax = 3;

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
  /** Refuse a server without STARTTLS; off only for a mail catcher on loopback. */
  readonly requireTls: boolean;
}

/** E-mail by SMTP (RFC 5321), with STARTTLS (RFC 3207) or TLS on port 465. */
export function createSmtpPort({ host, port, user, password, from, requireTls }: SmtpOptions): MessagePort {
  const transport = createTransport({
    pool: true,
    host,
    port,
    secure: port === 465,
    requireTLS: requireTls && port !== 465,
    maxConnections: connectionsMax,
    connectionTimeout: connectionTimeoutMs,
    socketTimeout: socketTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
  });
  return {
    name: 'smtp',
    async send({ id, to, subject, text }) {
      await transport.sendMail({ from, to, subject, text, messageId: `<${id}@strongroom>` });
    },
    async close() {
      transport.close();
    },
  };
}
