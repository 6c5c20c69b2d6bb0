// Package wallet is the ledger of the hospital: one wallet per patient, and what was posted in it.
//
// # Model
//
// A wallet's id follows from its patient's (IDOf), so that a patient has one at most and its stream can be followed before there is one. It is made with
// its first transaction, or by Lock. A transaction credits (above zero) or debits (below zero) a wallet against a counter-account of the hospital. The
// wallet's row holds position, balance and hash of its newest transaction; who posts locks it, several in the order of their ids.
//
// Post is the one way into the ledger, for one transaction as for thousands. A correction is another transaction: Reverse posts the opposite of one.
//
// # Invariants
//
//   - Transactions are immutable: hooks and triggers refuse every change and removal, on both engines.
//   - Positions of a wallet are 1, 2, 3 without holes, in the order of commits.
//   - Balance of a wallet = sum of its amounts = balance after its newest transaction.
//   - hash = SHA-256 over the hash before it and the canonical content of the row (Content); the first follows the empty hash.
//   - A transaction is reversed once, and a reversal never.
//   - An admission's date has one daily charge that stands: the key is admission, date and sequence, and a sequence follows only when the charge before it
//     was reversed.
//   - The sum of all wallets and all counter-accounts is zero: the account of a counter-account is the negative of what was posted against it.
//   - Money moves once per idempotency key.
//   - Verification names the first row, by wallet and position, that was altered, removed, inserted or cut off, even if chain and wallet were mended: the
//     audit holds the hash of each as it was posted. Who alters the audit's rows with them is not found.
//
// # Time
//
// CreatedAt is the instant of posting by the injected clock. Statements and balances of a date mean the end of that date in the practice's zone.
package wallet
