// Common websocket clients as they come, graphql-ws and Apollo Client: patient and doctor of a paid visit write to each other, lose the
// connection, and go on where they were.
//
//   DEMO_EMAIL=... DEMO_PASSWORD=... [DOCTOR_EMAIL=...] node realtime.mjs http://127.0.0.1:8080/graphql
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const patience = 15_000; // ms for anything that is awaited
const pause = 300; // ms before a lost connection is opened again

const SIGN_IN = `mutation($email: String!, $password: String!) {
  login(input: { email: $email, password: $password }) {
    accessToken session { id } viewer { practitioner { id } } userErrors { code }
  }
}`;
const FREE_SLOT = `query($doctor: ID!) {
  slots(where: { practitionerId: $doctor }, isFree: true, first: 1) { edges { node { id } } }
}`;
const BOOK = `mutation($slot: ID!) { bookAppointment(input: { slotId: $slot }) { appointment { id } userErrors { code } } }`;
const ORDER = `mutation($id: ID!) { createOrder(input: { appointmentId: $id }) { checkoutUrl userErrors { code } } }`;
const ROOMS = `{ chatRooms(first: 20) { edges { node { id appointmentId status viewerCanSend } } } }`;
const EVENTS = `subscription($roomId: ID!, $after: Cursor) {
  chatEvents(roomId: $roomId, after: $after) {
    __typename cursor previousCursor occurredAt
    ... on MessageAdded { message { id position body senderId senderRole clientMessageId } }
    ... on MessagesRead { by upTo }
    ... on RoomStatusChanged { status }
  }
}`;
const SEND = `mutation($input: SendMessageInput!) {
  sendMessage(input: $input) { message { id position body } userErrors { code message } }
}`;
const LOG = `query($roomId: ID!, $after: Cursor) {
  chatEvents(roomId: $roomId, after: $after, first: 100) { edges { cursor node { __typename cursor } } totalCount }
}`;
const SESSION = `subscription { sessionEvents { __typename occurredAt ... on SessionOpened { expiresAt status { __typename } } } }`;

const url = process.argv[2];
const { DEMO_EMAIL, DEMO_PASSWORD, DOCTOR_EMAIL = 'dora@demo.caregraph.test' } = process.env;
if (!url || !DEMO_EMAIL || !DEMO_PASSWORD) {
  console.error('usage: DEMO_EMAIL=... DEMO_PASSWORD=... [DOCTOR_EMAIL=...] node realtime.mjs URL');
  process.exit(2);
}
const socketURL = url.replace(/^http/, 'ws');
const told = text => console.log(`realtime: ${text}`);

const patient = await signIn(DEMO_EMAIL);
const doctor = await signIn(DOCTOR_EMAIL);
const room = await openRoom();
const watching = { patient: watch(patient), doctor: watch(doctor) };
await writeToEachOther();
await operationsOverTheSocket();
await goOnAfterALoss();
await watchTheSession();
await refuseAStranger();
await watching.patient.end();
await watching.doctor.end();
await apollo();
await Promise.all([patient.client.dispose(), doctor.client.dispose()]);

// signIn returns a user with a client of graphql-ws, whose sockets can be cut.
async function signIn(email) {
  const { login } = await post(SIGN_IN, { email, password: DEMO_PASSWORD });
  assert.deepEqual(login.userErrors, [], `${email} signs in`);
  const user = { token: login.accessToken, session: login.session.id, practitioner: login.viewer.practitioner?.id, sockets: [], acks: [] };
  user.client = createClient({
    url: socketURL,
    webSocketImpl: cuttable(user.sockets),
    connectionParams: { authorization: `Bearer ${user.token}` },
    retryAttempts: 5,
    retryWait: () => sleep(pause),
    on: { connected: (_socket, payload) => user.acks.push(payload) },
  });
  return user;
}

// cuttable is the websocket of the package ws, unchanged, that notes its instances.
function cuttable(sockets) {
  return class extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.push(this);
    }
  };
}

async function post(query, variables, token) {
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  assert.equal(errors, undefined, `${query.slice(0, 60)} has errors: ${JSON.stringify(errors)}`);
  return data;
}

// openRoom books a visit with the doctor and pays for it on the sandbox's page; the payment opens the room.
async function openRoom() {
  const { slots } = await post(FREE_SLOT, { doctor: doctor.practitioner }, patient.token);
  assert.equal(slots.edges.length, 1, 'the doctor has a free slot');
  const { bookAppointment } = await post(BOOK, { slot: slots.edges[0].node.id }, patient.token);
  assert.deepEqual(bookAppointment.userErrors, [], 'the slot is booked');
  const { createOrder } = await post(ORDER, { id: bookAppointment.appointment.id }, patient.token);
  assert.deepEqual(createOrder.userErrors, [], 'the payment is ordered');
  const page = await fetch(createOrder.checkoutUrl, { method: 'POST', body: new URLSearchParams({ action: 'pay' }) });
  assert.equal(page.status, 200, 'the sandbox takes the payment');
  const found = await until('the room of the paid visit', async () => {
    const { chatRooms } = await post(ROOMS, {}, patient.token);
    return chatRooms.edges.find(edge => edge.node.appointmentId === bookAppointment.appointment.id)?.node;
  }, 500);
  assert.equal(found.status, 'ACTIVE');
  assert.equal(found.viewerCanSend, true);
  told('a paid visit has opened its room');
  return found.id;
}

// watch subscribes to the room. graphql-ws writes the variables anew each time it connects: after is the last cursor then.
function watch(user) {
  const events = [];
  const variables = {
    roomId: room,
    get after() {
      return events.at(-1)?.cursor;
    },
  };
  const iterator = user.client.iterate({ query: EVENTS, variables });
  const ended = (async () => {
    for await (const { data, errors } of iterator) {
      assert.equal(errors, undefined, `an event has errors: ${JSON.stringify(errors)}`);
      events.push(data.chatEvents);
    }
  })();
  let failure;
  ended.catch(error => {
    failure = error;
  });
  const bodies = () => events.filter(event => event.message).map(event => event.message.body);
  return {
    events,
    bodies,
    reach: (n, what) =>
      until(what, () => {
        if (failure) throw failure;
        return bodies().length >= n;
      }),
    opened: () => until('the opening event', () => events.length > 0),
    end: async () => {
      await iterator.return();
      await ended;
    },
  };
}

async function until(what, isDone, every = 20) {
  for (const begun = Date.now(); Date.now() - begun < patience; await sleep(every)) {
    const result = await isDone();
    if (result) return result;
  }
  throw new Error(`${what}: not within ${patience} ms`);
}

// once runs a query or mutation over the socket.
async function once(client, query, variables) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) results.push(result);
  assert.equal(results.length, 1, 'one result, then complete');
  assert.equal(results[0].errors, undefined, JSON.stringify(results[0].errors));
  return results[0].data;
}

async function send(user, body) {
  const input = { roomId: room, body, clientMessageId: `outside-${body}` };
  const { sendMessage } = await once(user.client, SEND, { input });
  assert.deepEqual(sendMessage.userErrors, [], `${body} is sent`);
  assert.equal(sendMessage.message.body, body);
  return sendMessage.message;
}

async function writeToEachOther() {
  await Promise.all([watching.patient.opened(), watching.doctor.opened()]);
  assert.equal(watching.patient.events[0].__typename, 'StreamOpened');
  assert.equal(patient.acks[0].sessionId, patient.session, 'the acknowledgement names the session');
  assert.ok(Date.parse(patient.acks[0].expiresAt) > Date.parse(patient.acks[0].serverTime), 'and its end');
  for (const [user, body] of [[patient, 'one'], [doctor, 'two'], [doctor, 'three'], [patient, 'four']]) await send(user, body);
  await checkBoth(['one', 'two', 'three', 'four']);
  told('graphql-ws: patient and doctor see each other\'s messages, in order, each event behind the cursor of the one before');
}

// checkBoth expects these messages at both, none twice and none left out.
async function checkBoth(bodies) {
  for (const [who, { events, bodies: received, reach }] of Object.entries(watching)) {
    await reach(bodies.length, `${bodies.length} messages at the ${who}`);
    assert.deepEqual(received(), bodies, `messages of the ${who}`);
    events.slice(1).forEach((event, i) => assert.equal(event.previousCursor, events[i].cursor, `event ${i + 1} of the ${who} follows the one before`));
    const positions = events.filter(event => event.message).map(event => event.message.position);
    assert.deepEqual(positions, bodies.map((_, i) => i + 1), `positions at the ${who}`);
  }
}

async function operationsOverTheSocket() {
  const first = await send(patient, 'five');
  const again = await send(patient, 'five');
  assert.equal(again.id, first.id, 'the same clientMessageId answers the first message');
  await checkBoth(['one', 'two', 'three', 'four', 'five']);
  const { chatEvents } = await once(doctor.client, LOG, { roomId: room });
  const logged = chatEvents.edges.map(edge => edge.cursor);
  assert.deepEqual(logged.slice(-5), watching.doctor.events.slice(1).map(event => event.cursor), 'the log is what was delivered');
  told('graphql-ws: a query and a mutation go over the same socket; sending again stores nothing twice');
}

async function goOnAfterALoss() {
  const before = patient.sockets.length;
  patient.sockets.at(-1).terminate();
  for (const body of ['six', 'seven']) await send(doctor, body);
  await checkBoth(['one', 'two', 'three', 'four', 'five', 'six', 'seven']);
  assert.equal(patient.sockets.length, before + 1, 'the client has connected once more');
  assert.equal(watching.patient.events.filter(event => event.__typename === 'StreamOpened').length, 1, 'resumed, not opened anew');
  told('graphql-ws: after a lost connection the client\'s own retry goes on after the last cursor; nothing lost, nothing twice');
}

async function watchTheSession() {
  const iterator = patient.client.iterate({ query: SESSION });
  const { value } = await iterator.next();
  assert.equal(value.errors, undefined, JSON.stringify(value.errors));
  assert.equal(value.data.sessionEvents.__typename, 'SessionOpened');
  assert.ok(Date.parse(value.data.sessionEvents.expiresAt) > Date.now(), 'the session has an end to come');
  await iterator.return();
  told('graphql-ws: sessionEvents begins with SessionOpened');
}

async function refuseAStranger() {
  const client = createClient({ url: socketURL, webSocketImpl: WebSocket, connectionParams: { authorization: 'Bearer nobody' }, retryAttempts: 0 });
  const closed = await client.iterate({ query: SESSION }).next().then(
    () => assert.fail('a stranger was let in'),
    error => error,
  );
  assert.equal(closed.code, 4403, `closed with ${closed.code} ${closed.reason}`);
  told('graphql-ws: a wrong token is closed with 4403');
}

// apollo watches the room and writes in it with Apollo Client over its own link to graphql-ws.
async function apollo() {
  const link = new GraphQLWsLink(createClient({
    url: socketURL, webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${patient.token}` },
  }));
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const events = [];
  let failure;
  const subscription = client.subscribe({ query: gql(EVENTS), variables: { roomId: room } }).subscribe({
    next: ({ data, error }) => (error ? (failure = error) : events.push(data.chatEvents)),
    error: error => (failure = error),
  });
  const reach = n =>
    until(`${n} events at Apollo Client`, () => {
      if (failure) throw failure;
      return events.length >= n;
    });
  await reach(1);
  assert.equal(events[0].__typename, 'StreamOpened');
  const { data } = await client.mutate({ mutation: gql(SEND), variables: { input: { roomId: room, body: 'eight' } } });
  assert.deepEqual(data.sendMessage.userErrors, []);
  await send(doctor, 'nine');
  await reach(3);
  assert.deepEqual(events.slice(1).map(event => event.message.body), ['eight', 'nine']);
  assert.equal(events[2].previousCursor, events[1].cursor);
  const page = await client.query({ query: gql(LOG), variables: { roomId: room, after: events[1].cursor } });
  assert.deepEqual(page.data.chatEvents.edges.map(edge => edge.cursor), [events[2].cursor]);
  subscription.unsubscribe();
  client.stop();
  await link.client.dispose();
  told('apollo: client.subscribe, mutate and query over GraphQLWsLink');
}
