// Package config reads the settings of the program: one table of names, defaults and meanings, from which Load, the checks and
// the README's table are made.
//
// Rules the tests check:
//   - A flag wins over the environment, the environment over the file, the file over the default. An empty value counts as not given.
//   - Every name may be written with the prefix CAREGRAPH_ in the environment, where it wins over the bare one.
//   - All problems are told at once, each with the setting's name and where its value came from.
//   - A name that is not in the table is a problem in the file and among flags; in the environment, which belongs to all programs,
//     only with the prefix.
//   - A secret's value is in no message and in no printed form of a Config, whatever the verb.
//   - Production does not start with a missing, short or well-known secret.
package config
