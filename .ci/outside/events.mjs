// Server-Sent Events with clients as they come: graphql-sse, and a reader that does what a browser's EventSource does. The session's own stream is watched,
// and the free slots of a doctor while one of them is booked.
//
//   DEMO_EMAIL=... DEMO_PASSWORD=... [DOCTOR_EMAIL=...] [BOOKER_EMAIL=...] node events.mjs http://127.0.0.1:8080/graphql
import assert from 'node:assert/strict';
import { createClient } from 'graphql-sse';

const SIGN_IN = `mutation($email: String!, $password: String!) {
  login(input: { email: $email, password: $password }) { accessToken viewer { practitioner { id } } userErrors { code } }
}`;
const SESSION = 'subscription { sessionEvents { __typename } }';
const SLOTS = `subscription($of: ID!, $from: DateTime!, $to: DateTime!) {
  slotsChanged(practitionerId: $of, from: $from, to: $to) { occurredAt hasMore slots { id startsAt } }
}`;
const BOOK = 'mutation($slot: ID!) { bookAppointment(input: { slotId: $slot }) { appointment { id } userErrors { code } } }';
const ROOMS = '{ chatRooms(first: 20) { edges { node { id status } } } }';
const EVENTS = 'subscription($roomId: ID!) { chatEvents(roomId: $roomId) { __typename cursor ... on MessageAdded { message { body } } } }';
const SEND = 'mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } userErrors { code } } }';

const url = process.argv[2];
const {
  DEMO_EMAIL, DEMO_PASSWORD, DOCTOR_EMAIL = 'dora@demo.caregraph.test', BOOKER_EMAIL = 'bruno@demo.caregraph.test',
} = process.env;
if (!url || !DEMO_EMAIL || !DEMO_PASSWORD) {
  console.error('usage: DEMO_EMAIL=... DEMO_PASSWORD=... [DOCTOR_EMAIL=...] [BOOKER_EMAIL=...] node events.mjs URL');
  process.exit(2);
}
const told = text => console.log(`events: ${text}`);

const patient = await signIn(DEMO_EMAIL);
const doctor = await signIn(DOCTOR_EMAIL);
const booker = await signIn(BOOKER_EMAIL);
const client = createClient({ url, headers: { authorization: `Bearer ${patient.token}` }, retryAttempts: 0 });
await watchTheSession();
await watchSlots();
await listenAsABrowser();
await refuseAStranger();
client.dispose();

async function signIn(email) {
  const { login } = await post(SIGN_IN, { email, password: DEMO_PASSWORD });
  assert.deepEqual(login.userErrors, [], `${email} signs in`);
  return { token: login.accessToken, practitioner: login.viewer.practitioner?.id };
}

async function post(query, variables, token) {
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  assert.equal(errors, undefined, `${query.slice(0, 60)} has errors: ${JSON.stringify(errors)}`);
  return data;
}

async function watchTheSession() {
  const events = client.iterate({ query: SESSION });
  assert.equal((await events.next()).value.data.sessionEvents.__typename, 'SessionOpened');
  await events.return();
  const results = [];
  for await (const result of client.iterate({ query: '{ viewer { id } }' })) results.push(result);
  assert.equal(results.length, 1, 'a query has one result');
  assert.ok(results[0].data.viewer.id);
  told('graphql-sse: sessionEvents begins with SessionOpened, and a query has its one result');
}

async function watchSlots() {
  const from = Date.now();
  const variables = { of: doctor.practitioner, from: new Date(from).toISOString(), to: new Date(from + 31 * 24 * 3600e3).toISOString() };
  const states = client.iterate({ query: SLOTS, variables });
  const { slots } = (await states.next()).value.data.slotsChanged;
  assert.ok(slots.length > 0, 'the doctor has free slots');
  const wanted = slots.at(-1).id;
  const { bookAppointment } = await post(BOOK, { slot: wanted }, booker.token);
  assert.deepEqual(bookAppointment.userErrors, [], 'the slot is booked');
  const after = (await states.next()).value.data.slotsChanged.slots;
  assert.ok(!after.some(slot => slot.id === wanted), 'and has vanished');
  await states.return();
  told('graphql-sse: a slot vanishes for who looks when somebody books it');
}

// listenAsABrowser reads a room's events, drops the connection, and goes on behind the last event's id.
async function listenAsABrowser() {
  const { chatRooms } = await post(ROOMS, {}, patient.token);
  const room = chatRooms.edges.find(edge => edge.node.status === 'ACTIVE')?.node.id;
  assert.ok(room, 'the demo has a room');
  const say = async body => assert.deepEqual((await post(SEND, { input: { roomId: room, body } }, patient.token)).sendMessage.userErrors, []);
  let stream = await eventSource(EVENTS, { roomId: room });
  const opened = await stream.next();
  assert.equal(JSON.parse(opened.data).data.chatEvents.__typename, 'StreamOpened');
  assert.equal(JSON.parse(opened.data).data.chatEvents.cursor, opened.id, 'the id is the cursor');
  await say('over events');
  const first = await stream.next();
  stream.close();
  await say('while nobody listens');
  stream = await eventSource(EVENTS, { roomId: room }, first.id);
  const second = await stream.next();
  const bodies = [first, second].map(event => JSON.parse(event.data).data.chatEvents.message.body);
  assert.deepEqual(bodies, ['over events', 'while nobody listens'], 'nothing lost, nothing twice');
  stream.close();
  told('as EventSource: with the session cookie, and after a lost connection on behind Last-Event-ID');
}

// eventSource opens a stream by GET with the cookie of the session and no other header than a browser sends.
async function eventSource(query, variables, lastEventId) {
  const abort = new AbortController();
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  const answer = await fetch(`${url}?${search}`, {
    signal: abort.signal,
    headers: { accept: 'text/event-stream', cookie: `caregraph_session=${patient.token}`, ...(lastEventId && { 'last-event-id': lastEventId }) },
  });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /^text\/event-stream/);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    close: () => abort.abort(),
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end < 0) {
          const { value, done } = await reader.read();
          assert.ok(!done, 'the stream goes on');
          text += value;
          continue;
        }
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const of = name => lines.filter(line => line.startsWith(`${name}: `)).map(line => line.slice(name.length + 2)).join('\n');
        if (of('event')) return { kind: of('event'), id: of('id'), data: of('data') };
      }
    },
  };
}

async function refuseAStranger() {
  const stranger = createClient({ url, headers: { authorization: 'Bearer nobody' }, retryAttempts: 0 });
  const results = [];
  for await (const result of stranger.iterate({ query: SESSION })) results.push(result);
  assert.equal(results.length, 1);
  assert.equal(results[0].errors[0].extensions.code, 'UNAUTHENTICATED');
  stranger.dispose();
  told('graphql-sse: a wrong token is told UNAUTHENTICATED, and the stream is complete');
}
