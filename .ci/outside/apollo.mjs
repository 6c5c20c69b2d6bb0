// A common client as it comes: signs in and pages through a connection with Apollo Client's own Relay pagination.
//
//   DEMO_EMAIL=... DEMO_PASSWORD=... node apollo.mjs http://127.0.0.1:8080/graphql
import assert from 'node:assert/strict';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { relayStylePagination } from '@apollo/client/utilities';
import { filter, firstValueFrom } from 'rxjs';

const pageSize = 5;
const maxPages = 10;

const SIGN_IN = gql`
  mutation SignIn($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) {
      accessToken
      viewer {
        id
        email
        roles
      }
      userErrors {
        code
        message
      }
    }
  }
`;

const SLOTS = gql`
  query Slots($first: Int!, $after: Cursor) {
    slots(first: $first, after: $after) {
      edges {
        cursor
        node {
          id
          startsAt
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`;

const url = process.argv[2];
const { DEMO_EMAIL: email, DEMO_PASSWORD: password } = process.env;
if (!url || !email || !password) {
  console.error('usage: DEMO_EMAIL=... DEMO_PASSWORD=... node apollo.mjs URL');
  process.exit(2);
}

let token;
const authorize = new SetContextLink(({ headers }) => ({
  headers: token ? { ...headers, authorization: `Bearer ${token}` } : headers,
}));
const client = new ApolloClient({
  link: authorize.concat(new HttpLink({ uri: url })),
  cache: new InMemoryCache({ typePolicies: { Query: { fields: { slots: relayStylePagination() } } } }),
});

await signIn();
await readAllPages();
client.stop();

async function signIn() {
  const { data } = await client.mutate({ mutation: SIGN_IN, variables: { email, password } });
  const { accessToken, viewer, userErrors } = data.login;
  assert.deepEqual(userErrors, [], 'sign-in has no user errors');
  assert.ok(accessToken, 'sign-in gives a token');
  assert.equal(viewer.email, email);
  assert.ok(viewer.id && viewer.roles.length > 0, 'the viewer has an id and a role');
  token = accessToken;
  console.log(`apollo: signed in as ${viewer.roles.join(', ')}`);
}

async function readAllPages() {
  const query = client.watchQuery({ query: SLOTS, variables: { first: pageSize } });
  const watching = query.subscribe(); // as a component that shows the list would
  const first = await firstValueFrom(query.pipe(filter(result => result.error || result.dataState === 'complete')));
  assert.equal(first.error, undefined);
  const total = first.data.slots.totalCount;
  assert.ok(total > pageSize, `more than one page of slots is needed, there are ${total}`);

  let page = first.data.slots;
  let pages = 1;
  while (page.pageInfo.hasNextPage && pages < maxPages) {
    const more = await query.fetchMore({ variables: { after: page.pageInfo.endCursor } });
    page = more.data.slots;
    pages += 1;
    assert.ok(page.edges.length > 0, `page ${pages} was announced and is not empty`);
    assert.equal(page.edges.at(-1).cursor, page.pageInfo.endCursor, `page ${pages}: endCursor is the last edge's`);
  }
  watching.unsubscribe();

  // What an application sees: the pages as the client's cache merged them.
  const merged = client.readQuery({ query: SLOTS, variables: { first: pageSize } }).slots;
  const ids = merged.edges.map(edge => edge.node.id);
  const expected = Math.min(total, maxPages * pageSize);
  assert.equal(new Set(ids).size, ids.length, 'no slot appears twice');
  assert.equal(ids.length, expected, 'as many slots as totalCount says');
  assert.equal(merged.pageInfo.hasNextPage, total > expected, 'hasNextPage agrees with totalCount');
  console.log(`apollo: ${ids.length} of ${total} slots in ${pages} pages, none twice`);
}
