import type { ConnectError } from '@connectrpc/connect';
import { errorToJson } from '@connectrpc/connect/protocol-connect';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { commonErrors, levelOf, readServiceError, toConnectError } from '../errors/index.ts';
import type { Logger } from '../telemetry/index.ts';

export const URL_MAX_CHARACTERS = 8_192; // S6.3
const URL_TOO_LONG = 414;
const NOT_FOUND = 404;

/** Answers of everything that is no method: one shape here too (S6.2). */
export function registerRefusals(app: FastifyInstance, logger: Logger): void {
  app.addHook('onRequest', async (request, reply) => {
    const length = request.raw.url?.length ?? 0;
    if (length <= URL_MAX_CHARACTERS) return undefined;
    const error = commonErrors.MALFORMED_REQUEST({ message: 'The address is too long.' });
    return answer(reply, URL_TOO_LONG, error);
  });
  app.setNotFoundHandler((_request, reply) => answer(reply, NOT_FOUND, commonErrors.METHOD_NOT_FOUND()));
  app.setErrorHandler((cause: FastifyError, _request, reply) => {
    const status = cause.statusCode ?? 500;
    const error = status < 500 ? commonErrors.MALFORMED_REQUEST({ cause }) : toConnectError(cause);
    logger[levelOf(error)]({ err: error.cause }, 'request failed outside of a method');
    return answer(reply, readServiceError(error)?.status ?? status, error);
  });
}

function answer(reply: FastifyReply, status: number, error: ConnectError): FastifyReply {
  return reply.code(status).type('application/json').send(errorToJson(error, undefined));
}
