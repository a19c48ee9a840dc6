import { runAnomalies } from './anomalies/anomalies.ts';
import { runIngestion } from './audit/ingestion.ts';
import { runAuditQueries } from './audit/queries.ts';
import { runOverload } from './overload/overload.ts';
import { runPaymentWrite } from './payment-write/payment-write.ts';
import { runSignIn } from './sign-in/sign-in.ts';
import { runStatementDeadline } from './statement-deadline/statement-deadline.ts';
import { runUnaryHop } from './unary-hop/unary-hop.ts';

export interface Bench {
  readonly doc: string;
  /** Figures by name; a ratio's name ends in _ratio. */
  run(): Promise<Record<string, number>>;
  /** What its figures promise, by the end of their names: at most so much. */
  readonly atMost?: Readonly<Record<string, number>>;
  /** The same, at least so much. */
  readonly atLeast?: Readonly<Record<string, number>>;
}

export const benches: Readonly<Record<string, Bench>> = {
  'payment-write': {
    doc: 'a payment with key, task, history and events, and its capture with the ledger, against a bare insert of one row (B-ledger, B-idem)',
    run: runPaymentWrite,
    atLeast: { _to_bare_ratio: 0.7 },
  },
  'unary-hop': { doc: 'our unary hop against the stock Connect transport and server (B-fast)', run: runUnaryHop },
  overload: {
    doc: 'what is kept of money calls at three times the capacity, and how soon all is well again (B-shed)',
    run: runOverload,
  },
  'statement-deadline': {
    doc: 'how long a statement outlives its deadline in PostgreSQL (B-shed)',
    run: runStatementDeadline,
  },
  'sign-in': {
    doc: 'what the time of an answer tells of an address, and what sign-ins cost everyone else (S1.3d)',
    run: runSignIn,
  },
  'audit-ingestion': {
    doc: 'events into the verifiable log against COPY into the same table (B-log)',
    run: runIngestion,
  },
  'audit-queries': {
    doc: 'lists and proofs at a million records against ten thousand (B-log)',
    run: runAuditQueries,
    atMost: { _p99_ratio: 2, inclusion_proof_p99_ms: 10 },
  },
  anomalies: {
    doc: 'what the rules find in labelled synthetic traffic: recall by attack, honest acts taken for one (S7.2)',
    run: runAnomalies,
  },
};
