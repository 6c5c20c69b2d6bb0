// Package mail sends plain-text mails through an SMTP server.
//
// Rules:
//   - One mail is one connection, bounded as a whole by the timeout and by the caller's ctx.
//   - The server's own answer tells whether another try makes sense: what it says for good (5xx) of the mail or its recipient is permanent; a
//     server that is away, hangs up, or refuses our sign-in is not, because then the mail is not at fault.
//   - A mail that the server has taken counts as sent, whatever happens to the connection afterwards.
//   - STARTTLS is used when the server offers it. A password goes over TLS or to this machine only.
//   - No text of a message can add a header or a command: addresses are parsed, subjects encoded on one line, bodies encoded.
//   - The Message-ID comes from the caller's id, so that a mail that is sent twice after a crash can be told to be the same.
package mail
