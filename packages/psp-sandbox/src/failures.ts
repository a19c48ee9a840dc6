/** A refusal in the shape that every error of this API has. */
export class PspFailure extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function invalid(message: string): PspFailure {
  return new PspFailure(400, 'invalid_request', message);
}
