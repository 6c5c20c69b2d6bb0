import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

const endpoint = '/graphql';
const marker = { 'X-Caregraph-Client': 'explorer' };

/**
 * Sends queries and mutations over HTTP and subscriptions over a websocket (graphql-transport-ws), both to the origin
 * that served this page. The session cookie goes along by itself; a token comes from the headers editor.
 */
export function createFetcher() {
  const overHTTP = createGraphiQLFetcher({ url: endpoint, headers: marker, enableIncrementalDelivery: false });

  return (params, options) => {
    const headers = withoutEmptyToken(options?.headers);
    if (!isSubscription(params, options)) {
      return overHTTP(params, { ...options, headers });
    }
    return subscribe(params, headers);
  };
}

/** The headers editor starts with an empty "Bearer " to fill in; until then the cookie alone decides who asks. */
function withoutEmptyToken(headers = {}) {
  return Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => {
      return name.toLowerCase() !== 'authorization' || !/^bearer\s*$/i.test(String(value).trim());
    }),
  );
}

function isSubscription({ operationName }, options) {
  const operations = options?.documentAST?.definitions.filter(d => d.kind === 'OperationDefinition') ?? [];
  const chosen = operationName ? operations.find(d => d.name?.value === operationName) : operations[0];
  return chosen?.operation === 'subscription';
}

/** One socket per running subscription. A lost socket is shown, not retried: a retry without a cursor would hide a gap. */
function subscribe(params, headers) {
  const url = new URL(endpoint, window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

  const token = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const client = createClient({
    url: url.href,
    lazy: true,
    retryAttempts: 0,
    connectionParams: { client: marker['X-Caregraph-Client'], ...(token ? { authorization: token } : {}) },
  });

  return {
    subscribe(observer) {
      const unsubscribe = client.subscribe(params, {
        next: result => observer.next(result),
        complete: () => {
          observer.complete();
          client.dispose();
        },
        error: problem => {
          observer.error(readable(problem));
          client.dispose();
        },
      });
      return {
        unsubscribe() {
          unsubscribe();
          client.dispose();
        },
      };
    },
  };
}

function readable(problem) {
  if (problem instanceof CloseEvent) {
    return new Error(`The server closed the socket: ${problem.code} ${problem.reason}`.trim());
  }
  return problem;
}
