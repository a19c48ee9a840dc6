/** The processes of the system that own data or credentials, in the order in which they are started. */
export const serviceNames = ['auth', 'payments', 'profile', 'admin', 'gateway'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** One database each; `audit` is a second one of the admin service, so that the log has its own roles. */
export const databaseNames = ['auth', 'payments', 'profile', 'admin', 'audit'] as const;
export type DatabaseName = (typeof databaseNames)[number];

export const engineNames = ['postgres', 'redis', 'nats'] as const;
export type EngineName = (typeof engineNames)[number];

/** Prints one line of progress. */
export type Log = (line: string) => void;
