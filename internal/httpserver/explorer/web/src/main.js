import 'graphiql/setup-workers/vite';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './style.css';

import { GraphiQL } from 'graphiql';
import { createElement as h } from 'react';
import { createRoot } from 'react-dom/client';

import { createFetcher } from './fetcher.js';

const welcome = `# The explorer of this Caregraph server.
#
# 1. Run SignIn with your e-mail and password
#    under Variables.
# 2. Put the access token under Headers. (A session
#    cookie, if you have one, is sent by itself.)
# 3. The book icon opens the documentation.
#    Ctrl-Space completes, Ctrl-Enter runs.
#
# What you type stays in this tab and goes with it.

query Hello {
  __typename
}

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

const signIn = JSON.stringify({ email: '', password: '' }, null, 2);
const headers = JSON.stringify({ Authorization: 'Bearer ' }, null, 2);

// Operations may hold passwords and patients' data: they are kept for the tab (sessionStorage), never beyond it, and the
// headers editor is not stored at all.
createRoot(document.getElementById('explorer')).render(
  h(
    GraphiQL,
    {
      fetcher: createFetcher(),
      storage: window.sessionStorage,
      defaultQuery: welcome,
      initialVariables: signIn,
      defaultHeaders: headers,
      defaultEditorToolsVisibility: 'headers',
      shouldPersistHeaders: false,
      showPersistHeadersSettings: false,
    },
    h(GraphiQL.Logo, null, h('span', { className: 'brand' }, 'Caregraph')),
  ),
);
