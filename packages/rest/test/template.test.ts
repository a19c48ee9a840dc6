import t from 'tap';
import { parseTemplate, RestContractError } from '../src/index.ts';

const valid: [template: string, segments: string, variables: string, verb: string][] = [
  ['/v1', 'v1', '', ''],
  ['/v1/*', 'v1 *', '', ''],
  ['/v1/**', 'v1 **', '', ''],
  ['/{name}', '*', 'name[0,1)', ''],
  ['/{name=*}', '*', 'name[0,1)', ''],
  ['/{name=**}', '**', 'name[0,1)+', ''],
  ['/v1/{name=messages/*}', 'v1 messages *', 'name[1,3)+', ''],
  ['/v1/{name=a/*/b/**}', 'v1 a * b **', 'name[1,5)+', ''],
  ['/v1/{a.b.c}/x/{d}', 'v1 * x *', 'a.b.c[1,2) d[3,4)', ''],
  ['/v1/messages/{message_id}/{sub.subfield}', 'v1 messages * *', 'message_id[2,3) sub.subfield[3,4)', ''],
  ['/v1/loans/{id}:cancel', 'v1 loans *', 'id[2,3)', 'cancel'],
  ['/v1/{name=files/**}:purge', 'v1 files **', 'name[1,3)+', 'purge'],
  ['/v1:watch', 'v1', '', 'watch'],
  ['/v1/a%40b/~c', 'v1 a@b ~c', '', ''],
];

t.test('B-rest: the template grammar of http.proto, what it takes', async (t) => {
  for (const [source, segments, variables, verb] of valid) {
    const template = parseTemplate(source);
    const text = template.segments
      .map((s) => (s.kind === 'literal' ? s.text : s.kind === 'single' ? '*' : '**'))
      .join(' ');
    const names = template.variables
      .map((v) => `${v.fieldPath.join('.')}[${v.start},${v.end})${v.isMultiSegment ? '+' : ''}`)
      .join(' ');
    t.same([text, names, template.verb], [segments, variables, verb], source);
  }
});

const invalid = [
  '',
  'v1',
  '/',
  '/v1/',
  '//v1',
  '/v1/{}',
  '/v1/{1a}',
  '/v1/{a..b}',
  '/v1/{a',
  '/v1/a}',
  '/v1/x{a}',
  '/v1/{a}x',
  '/v1/{a={b}}',
  '/v1/{a=b/{c}}',
  '/v1/{a=}',
  '/v1/{a=/b}',
  '/v1/{a=b//c}',
  '/v1/**/x',
  '/v1/{a=**}/x',
  '/v1/{a=**}/{b=**}',
  '/v1/{a}/{a}',
  '/v1/a:',
  '/v1/a b',
  '/v1/%zz',
  '/v1/%ff',
  '/v1/a*',
  '/v1/***',
  '/v1/..',
  '/v1/%2e%2e',
  '/v1/a?b',
];

t.test('B-rest: the template grammar of http.proto, what it refuses', async (t) => {
  for (const source of invalid) {
    t.throws(() => parseTemplate(source), RestContractError, source);
  }
});
