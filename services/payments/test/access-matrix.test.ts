// Role × method × owner, generated from the contract: what the policy of each method says is what a caller meets.
import { randomUUID } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { Audience, Ownership, Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { methodPolicy } from '@strongroom/platform/rpc';
import t from 'tap';
import type { Person } from './auth-upstream.ts';
import { instantPayment, type PaymentsFixture, startPayments } from './payments-fixture.ts';

type Caller = 'sender' | 'recipient' | 'stranger' | 'vendor' | 'admin' | 'anonymous';
const callers: readonly Caller[] = ['sender', 'recipient', 'stranger', 'vendor', 'admin', 'anonymous'];
const roles: Readonly<Record<Caller, Role>> = {
  sender: Role.CUSTOMER,
  recipient: Role.CUSTOMER,
  stranger: Role.CUSTOMER,
  vendor: Role.VENDOR,
  admin: Role.ADMIN,
  anonymous: Role.UNSPECIFIED,
};

/** Who may touch a payment of sender and recipient under each rule of ownership. */
const parties: ReadonlyMap<Ownership, readonly Caller[]> = new Map([
  [Ownership.PARTY_OR_ADMIN, ['sender', 'recipient', 'admin']],
  [Ownership.SENDER_OR_ADMIN, ['sender', 'admin']],
  [Ownership.RECIPIENT_OR_ADMIN, ['recipient', 'admin']],
]);

interface Scene {
  readonly fixture: PaymentsFixture;
  readonly people: Readonly<Record<Exclude<Caller, 'anonymous'>, Person>>;
  readonly methodId: string;
}

/** What each method is asked, made afresh for each caller so that none meets what another has done. */
const requests: Readonly<Record<string, (scene: Scene) => Promise<object> | object>> = {
  createPayment: ({ fixture }) => instantPayment(fixture.auth.addPerson()),
  getPayment: paid,
  getPaymentReceipt: receipt,
  listPayments: () => ({}),
  updatePayment: async (scene) => ({ ...(await pending(scene)), description: 'other' }),
  cancelPayment: pending,
  setPaymentStatus: async (scene) => ({ ...(await pending(scene)), status: 5 }),
  refundPayment: paid,
  listRefunds: paid,
  searchRecipients: () => ({ query: 'Nobody' }),
  getReport: () => ({}),
  addPaymentMethod: () => ({
    method: { case: 'bankAccount', value: { iban: 'DE89370400440532013000', holderName: 'Ada' } },
  }),
  listPaymentMethods: () => ({}),
  removePaymentMethod: ({ methodId }) => ({ id: methodId }),
  getBalances: ({ people }) => ({ userId: people.sender.id }),
  listLedgerEntries: ({ people }) => ({ userId: people.sender.id }),
  receivePspWebhook: () => ({ payload: { contentType: 'application/json', data: Buffer.from('{}') } }),
  createWebhookEndpoint: () => ({ url: 'http://127.0.0.1:9/hook' }),
  listWebhookEndpoints: () => ({}),
  deleteWebhookEndpoint: endpointOfAnother,
  rotateSecret: endpointOfAnother,
  listDeliveries: endpointOfAnother,
  redeliver: async (scene) => ({ ...(await endpointOfAnother(scene)), deliveryId: randomUUID() }),
  watchPayments: () => ({}),
  exportUserData: ({ people }) => ({ userId: people.sender.id }),
  eraseUserData: ({ people }) => ({ userId: people.stranger.id }),
};

async function paid({ fixture, people }: Scene) {
  return { id: (await fixture.completedPayment(people.sender, people.recipient)).id };
}

async function receipt({ fixture, people }: Scene) {
  const { id } = await fixture.completedPayment(people.sender, people.recipient);
  const eventId = randomUUID();
  fixture.log.logged.set(eventId, { source: 'payments', resourceId: id, actorId: '' });
  return { id, eventId };
}

async function pending({ fixture, people }: Scene) {
  const scheduledAt = { seconds: BigInt(Math.floor(Date.now() / 1_000) + 86_400), nanos: 0 };
  const request = { ...instantPayment(people.recipient), type: PaymentType.SCHEDULED, scheduledAt };
  const { payment } = await fixture.connect.createPayment(request, fixture.as(people.sender, randomUUID()));
  return { id: payment?.id ?? '' };
}

async function endpointOfAnother({ fixture }: Scene) {
  const owner = fixture.auth.addPerson({ role: 'VENDOR' });
  const url = 'http://127.0.0.1:9/hook';
  const { webhookEndpoint } = await fixture.connect.createWebhookEndpoint({ url }, fixture.as(owner));
  return { id: webhookEndpoint?.id ?? '' };
}

/** What the policy promises a caller. */
function expected(name: string, caller: Caller): string {
  const method = PaymentsService.method[name as keyof typeof PaymentsService.method];
  const { access } = methodPolicy(method);
  if (access?.audience === Audience.PUBLIC) return 'ANY';
  if (access?.audience === Audience.INTERNAL) return caller === 'anonymous' ? 'UNAUTHENTICATED|FORBIDDEN' : 'FORBIDDEN';
  if (caller === 'anonymous') return 'UNAUTHENTICATED';
  if (access?.audience === Audience.ROLES && !access.roles.includes(roles[caller])) return 'FORBIDDEN';
  const isOfPayment = /^(get|update|cancel|refund)Payment$|^listRefunds$|^getPaymentReceipt$/.test(name);
  if (isOfPayment) return partyExpectation(access?.ownership ?? Ownership.UNSPECIFIED, caller);
  if (access?.ownership === Ownership.SELF_OR_ADMIN && name !== 'getReport') {
    return caller === 'sender' || caller === 'admin' ? 'OK' : 'FORBIDDEN';
  }
  if (/^(removePaymentMethod|deleteWebhookEndpoint|rotateSecret|listDeliveries|redeliver)$/.test(name)) {
    return caller === 'sender' && name === 'removePaymentMethod' ? 'OK' : 'NOT_FOUND';
  }
  return 'OK';
}

/** Who sees a payment but may not do this to it is told so; who may not see it learns nothing. */
function partyExpectation(ownership: Ownership, caller: Caller): string {
  if (parties.get(ownership)?.includes(caller)) return 'OK';
  return parties.get(Ownership.PARTY_OR_ADMIN)?.includes(caller) ? 'FORBIDDEN' : 'NOT_FOUND';
}

async function outcomeOf(scene: Scene, name: string, caller: Caller): Promise<string> {
  const request = await (requests[name] ?? (() => ({})))(scene);
  const options = caller === 'anonymous' ? {} : scene.fixture.as(scene.people[caller], randomUUID());
  const client = scene.fixture.connect as unknown as Record<string, (asked: object, options: object) => unknown>;
  try {
    const answer = client[name]?.(request, options);
    if (name !== 'watchPayments') await answer;
    else for await (const _ of answer as AsyncIterable<unknown>) break;
    return 'OK';
  } catch (error) {
    const reason = readServiceError(error)?.reason ?? String(error);
    return reason.endsWith('_NOT_FOUND') ? 'NOT_FOUND' : reason;
  }
}

t.test('contract: every method of payments answers every caller as its policy says', async (t) => {
  const fixture = await startPayments(t);
  const people = {
    sender: fixture.auth.addPerson(),
    recipient: fixture.auth.addPerson(),
    stranger: fixture.auth.addPerson(),
    vendor: fixture.auth.addPerson({ role: 'VENDOR' }),
    admin: fixture.auth.addPerson({ role: 'ADMIN' }),
  };
  const { paymentMethod } = await fixture.connect.addPaymentMethod(
    { method: { case: 'card', value: { number: '4242424242424242', expMonth: 12, expYear: 2030, cvc: '123' } } },
    fixture.as(people.sender),
  );
  const scene: Scene = { fixture, people, methodId: paymentMethod?.id ?? '' };
  t.same(Object.keys(requests).sort(), PaymentsService.methods.map(({ localName }) => localName).sort(), 'all of them');
  for (const { localName: name } of PaymentsService.methods) {
    // The owner last: what he may remove, others must not have found.
    for (const caller of [...callers].reverse()) {
      const wanted = expected(name, caller);
      const met = await outcomeOf(scene, name, caller);
      if (wanted === 'ANY') t.not(met, 'UNAUTHENTICATED', `${name} by ${caller}: ${met}`);
      else t.ok(wanted.split('|').includes(met), `${name} by ${caller}: ${wanted}, met ${met}`);
    }
  }
});

t.test('contract: what is not there and what is not yours look the same', async (t) => {
  const fixture = await startPayments(t);
  const { sender, recipient } = await fixture.pair();
  const stranger = fixture.auth.addPerson();
  const { id } = await fixture.completedPayment(sender, recipient);
  const answers: string[] = [];
  for (const asked of [id, randomUUID()]) {
    const response = await fetch(`${fixture.baseUrl}/strongroom.payments.v1.PaymentsService/GetPayment`, {
      method: 'POST',
      headers: { ...fixture.as(stranger).headers, 'content-type': 'application/json' },
      body: JSON.stringify({ id: asked }),
    });
    t.equal(response.status, 404);
    answers.push(await response.text());
  }
  t.equal(answers[0], answers[1], 'the same bytes');
});

t.test('B-zero: personal data is handed to profile alone, known by its certificate', async (t) => {
  const fixture = await startPayments(t);
  const { sender, recipient } = await fixture.pair();
  await fixture.completedPayment(sender, recipient);
  const url = fixture.baseUrl.replace('http:', 'https:');
  for (const [name, isAllowed] of [
    ['profile', true],
    ['gateway', false],
    ['auth', false],
  ] as const) {
    const { ca, cert, key } = (await fixture.certificates.identity(name)).material();
    const transport = createConnectTransport({ baseUrl: url, httpVersion: '1.1', nodeOptions: { ca, cert, key } });
    const client = createClient(PaymentsService, transport);
    const asked = client.exportUserData({ userId: sender.id });
    if (isAllowed) t.match(JSON.parse(Buffer.from((await asked).json).toString()).payments, [{ senderId: sender.id }]);
    else await t.rejects(asked, /not allowed/, name);
  }
});
