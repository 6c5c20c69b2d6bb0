// Package chat is the conversation of a patient and a practitioner about one paid appointment.
package chat
