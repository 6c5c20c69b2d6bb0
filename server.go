// Command caregraph is the clinic and hospital API: one program, GraphQL with subscriptions.
package main

func main() {}
