/** A message on its way to a person. */
export interface Message {
  /** Id of the notice: a receiver may know it again. */
  readonly id: string;
  /** E-mail address. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Carries messages out of the system. Throws when the message was not taken over. */
export interface MessagePort {
  readonly name: string;
  send(message: Message): Promise<void>;
  close(): Promise<void>;
}
