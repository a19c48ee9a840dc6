// Markup in every disguise, through the real edge and the service's sanitation: nothing executable arrives or comes back.
import type { DescMethod } from '@bufbuild/protobuf';
import t from 'tap';
import { startContractEdge } from './contract-edge.ts';

const arrived: string[] = [];
const edge = await startContractEdge(t, (method: DescMethod, request) => {
  if (method.name !== 'CreatePayment') return {};
  const { description } = request as { description: string };
  arrived.push(description);
  return { payment: { description } };
});

const vectors = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=//x.example/a.js></SCRIPT>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<img src=x onerror=alert(1)>',
  '<img src="x" OnErRoR="alert(1)"',
  '<svg onload=alert(1)>',
  '<svg/onload=alert(1)//',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s>',
  '<body onpageshow=alert(1)>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe>',
  '<a href="javascript:alert(1)">click</a>',
  '<a href="java\tscript:alert(1)">click</a>',
  '<a href="java\nscript:alert(1)">click</a>',
  '<a href="jav&#x09;ascript:alert(1)">click</a>',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  'java\r\nscript:alert(1)',
  'vbscript:msgbox(1)',
  '<math><mtext></mtext><script>alert(1)</script></math>',
  '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
  '<template><script>alert(1)</script></template>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<style>@import "javascript:alert(1)";</style>',
  '<div style="background:url(javascript:alert(1))">',
  '<form action=javascript:alert(1)><input type=submit>',
  '<button formaction=javascript:alert(1)>x',
  '<input autofocus onfocus=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<video><source onerror=alert(1)>',
  '<object data="javascript:alert(1)">',
  '<embed src="javascript:alert(1)">',
  '<base href="javascript:alert(1)//">',
  '<meta http-equiv=refresh content="0;javascript:alert(1)">',
  '<link rel=stylesheet href="javascript:alert(1)">',
  '<!--><script>alert(1)</script>-->',
  '<![CDATA[<script>alert(1)</script>]]>',
  '<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
  '<\0script>alert(1)</script>',
  '<script\0>alert(1)</script>',
  '<xss onclick="alert(1)">x</xss>',
  '<b <script>alert(1)</script>0',
  '</title><script>alert(1)</script>',
  '"><script>alert(1)</script>',
  "';alert(1)//<script>",
];
const honest = [
  '5 < 6 & 7 > 2',
  "O'Brien & sons",
  'Rent for May (50%)',
  'a <3 b',
  'x > y, y < z',
  '&lt;kept&gt; as typed',
  'emoji 👩‍👩‍👧 and ⚖️',
  'مرحبا بالعالم',
  'שלום',
  'Crème brûlée',
];

const pay = (description: string) =>
  edge.send('/api/v1/payments', {
    body: JSON.stringify({
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode: 'EUR', minorUnits: '100' },
      recipientEmail: 'bob@example.com',
      description,
    }),
  });

/** An element, an attribute that runs, or an address that runs: what a browser would act on in HTML. */
const executable = /<\s*[a-z!/?]|\bon[a-z]+\s*=[^<]*>|(?:java|vb)[\t\r\n]*script[\t\r\n]*:/i;

t.test('S2.2: XSS: nothing executable arrives at a use case or comes back', async (t) => {
  t.ok(vectors.length >= 40, 'forty vectors');
  for (const vector of vectors) {
    const name = JSON.stringify(vector);
    arrived.length = 0;
    const { status, headers, text } = await pay(vector);
    t.ok(status === 201 || status === 400, `${name}: ${status}`);
    for (const description of arrived) t.notMatch(description, executable, name);
    t.notMatch(text, executable, `${name}: the answer`);
    t.match(headers.get('content-type'), /^application\/(problem\+)?json/, name);
    t.equal(headers.get('x-content-type-options'), 'nosniff');
    t.match(headers.get('content-security-policy'), /default-src 'none'/);
  }
});

t.test('S2.2, older fault 51: honest text comes back as it was written', async (t) => {
  for (const description of honest) {
    const { status, text } = await pay(description);
    t.equal(status, 201, text);
    t.equal(JSON.parse(text).payment.description, description.normalize('NFC'));
  }
});

t.test('S6.2: markup in a path, a query or a header is not given back', async (t) => {
  const mark = '<script>alert(1)</script>';
  const encoded = encodeURIComponent(mark);
  for (const path of [
    `/${encoded}`,
    `/api/v1/${encoded}`,
    `/api/v1/payments/${encoded}`,
    `/api/v1/payments?x=${encoded}`,
  ]) {
    const { headers, text } = await edge.send(path, {
      headers: { 'user-agent': mark, referer: `https://x.example/${encoded}` },
    });
    t.notMatch(text, '<script', path);
    t.notMatch(text, encoded, path);
    t.match(headers.get('content-type'), /^application\/problem\+json/);
  }
});
