package matrix_test

// operation is a root field: who gets past its door, and a call of it that changes nothing that counts.
type operation struct {
	may  string // viewers who are let in; the others are answered UNAUTHENTICATED or FORBIDDEN
	call string
}

const (
	public     = anonymous + " alice bob pete dora drew dirk cleo sue nell sid bea bess phil ada dana norm"
	signedIn   = "alice bob pete dora drew dirk cleo sue nell sid bea bess phil ada dana norm"
	talkers    = "alice bob pete dora drew dirk cleo sue dana"         // PATIENT, DOCTOR, CLINICIAN, SUPERVISOR
	parties    = "alice bob pete dora drew dirk cleo sue sid ada dana" // PATIENT, DOCTOR, CLINICIAN, SUPERVISOR, SCHEDULER, ADMIN
	slotMakers = "dora drew dirk cleo sue sid ada dana"                // DOCTOR, CLINICIAN, SUPERVISOR, SCHEDULER, ADMIN
)

// nothing is the id of no record; calls with it get past the door and find nothing.
const nothing = "00000000-0000-7000-8000-00000000000b"

// operations lists every root field of the API. A field that is not here fails the test.
var operations = map[string]operation{
	"node":                 {signedIn, `node(id: "` + nothing + `") { id }`},
	"nodes":                {signedIn, `nodes(ids: ["` + nothing + `"]) { id }`},
	"viewer":               {public, `viewer { id }`},
	"sessionStatus":        {public, `sessionStatus { isExpired }`},
	"mySessions":           {signedIn, `mySessions(first: 1) { totalCount }`},
	"sessions":             {admins, `sessions(first: 1) { totalCount }`},
	"users":                {admins, `users(first: 1) { totalCount }`},
	"user":                 {signedIn, `user(id: "` + nothing + `") { id }`},
	"practitioners":        {signedIn, `practitioners(first: 1) { totalCount }`},
	"patients":             {signedIn, `patients(first: 1) { totalCount }`},
	"patient":              {signedIn, `patient(id: "` + nothing + `") { id }`},
	"validateIdentifier":   {signedIn, `validateIdentifier(kind: IHI, value: "8003608166690503") { isValid }`},
	"slots":                {signedIn, `slots(first: 1) { totalCount }`},
	"appointments":         {signedIn, `appointments(first: 1) { totalCount }`},
	"appointment":          {signedIn, `appointment(id: "` + nothing + `") { id }`},
	"orders":               {signedIn, `orders(first: 1) { totalCount }`},
	"order":                {signedIn, `order(id: "` + nothing + `") { id }`},
	"chatRooms":            {signedIn, `chatRooms(first: 1) { totalCount }`},
	"chatRoom":             {signedIn, `chatRoom(id: "` + nothing + `") { id }`},
	"chatEvents":           {talkers + " ada", `chatEvents(roomId: "` + nothing + `", first: 1) { totalCount }`},
	"unreadTotal":          {signedIn, `unreadTotal`},
	"jobs":                 {admins, `jobs { name }`},
	"jobRuns":              {cashiers, `jobRuns(first: 1) { totalCount }`},
	"run":                  {cashiers, `run(id: "` + nothing + `") { id }`},
	"notifications":        {signedIn, `notifications(first: 1) { totalCount }`},
	"deletedAppointments":  {admins, `deletedAppointments(first: 1) { totalCount }`},
	"leaves":               {signedIn, `leaves(first: 1) { totalCount }`},
	"questionnaire":        {signedIn, `questionnaire { id }`},
	"questionnaireAnswers": {signedIn, `questionnaireAnswers(appointmentId: "` + nothing + `") { id }`},

	"registerPatient":      {public, `registerPatient(input: {email: "", password: "short", givenName: "A", familyName: "B"}) { userErrors { code } }`},
	"verifyEmail":          {public, `verifyEmail(input: {token: "none"}) { userErrors { code } }`},
	"requestPasswordReset": {public, `requestPasswordReset(input: {email: "nobody"}) { userErrors { code } }`},
	"resetPassword":        {public, `resetPassword(input: {token: "none", newPassword: "short"}) { userErrors { code } }`},
	"login":                {public, `login(input: {email: "nobody@caregraph.test", password: "nothing at all"}) { userErrors { code } }`},

	"changePassword":     {signedIn, `changePassword(input: {currentPassword: "not mine at all", newPassword: "short"}) { userErrors { code } }`},
	"enableTotp":         {signedIn, `enableTotp(input: {password: "not mine at all"}) { userErrors { code } }`},
	"confirmTotp":        {signedIn, `confirmTotp(input: {code: "000000"}) { userErrors { code } }`},
	"disableTotp":        {signedIn, `disableTotp(input: {password: "not mine at all", code: "000000"}) { userErrors { code } }`},
	"linkPatientAccount": {"alice bob pete", `linkPatientAccount(input: {code: "none"}) { userErrors { code } }`},
	"extendSession":      {signedIn, `extendSession { userErrors { code } }`},
	"pingActivity":       {signedIn, `pingActivity { userErrors { code } }`},
	"revokeSession":      {signedIn, `revokeSession(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"markNotificationRead": {signedIn,
		`markNotificationRead(input: {id: "` + nothing + `"}) { userErrors { code } }`},

	"createUser":     {admins, `createUser(input: {email: "", password: "short", givenName: "", familyName: "", roles: []}) { userErrors { code } }`},
	"updateUser":     {admins, `updateUser(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"deactivateUser": {admins, `deactivateUser(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"reactivateUser": {admins, `reactivateUser(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"updatePractitionerProfile": {"dora drew dirk cleo sue ada dana", // DOCTOR, CLINICIAN, SUPERVISOR, ADMIN
		`updatePractitionerProfile(input: {practitionerId: "` + nothing + `", name: "A"}) { userErrors { code } }`},

	"createPatient": {desk, `createPatient(input: {givenName: "", familyName: ""}) { userErrors { code } }`},
	"updatePatient": {"alice bob pete " + desk, `updatePatient(input: {id: "` + nothing + `"}) { userErrors { code } }`},

	"createSlot": {slotMakers, `createSlot(input: {startsAt: "2020-01-01T00:00:00Z", type: LONG}) { userErrors { code } }`},
	"createSlots": {slotMakers, `createSlots(input: {startDate: "2020-01-01", endDate: "2020-01-01", startTime: "09:00", endTime: "10:00", type: LONG}) {
		userErrors { code } }`},
	"updateSlot":            {slotMakers, `updateSlot(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"deleteSlot":            {slotMakers, `deleteSlot(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"blockTime":             {slotMakers, `blockTime(input: {startsAt: "2020-01-01T00:00:00Z", endsAt: "2020-01-02T00:00:00Z"}) { userErrors { code } }`},
	"unblockTime":           {slotMakers, `unblockTime(input: {leaveId: "` + nothing + `"}) { userErrors { code } }`},
	"cancelAppointment":     {parties, `cancelAppointment(input: {appointmentId: "` + nothing + `"}) { userErrors { code } }`},
	"rescheduleAppointment": {parties, `rescheduleAppointment(input: {appointmentId: "` + nothing + `", newSlotId: "` + nothing + `"}) { userErrors { code } }`},
	"completeAppointment":   {"dora drew dirk cleo sue ada dana", `completeAppointment(input: {appointmentId: "` + nothing + `"}) { userErrors { code } }`},
	"markNoShow":            {"dora drew dirk cleo sue ada dana", `markNoShow(input: {appointmentId: "` + nothing + `"}) { userErrors { code } }`},
	"updateAppointment":     {"alice bob pete dora drew dirk cleo sue ada dana", `updateAppointment(input: {appointmentId: "` + nothing + `"}) { userErrors { code } }`},
	"deleteAppointment":     {"alice bob pete ada dana", `deleteAppointment(input: {appointmentId: "` + nothing + `"}) { userErrors { code } }`},
	"answerQuestionnaire":   {"alice bob pete", `answerQuestionnaire(input: {appointmentId: "` + nothing + `", answers: []}) { userErrors { code } }`},
	"createQuestion":        {admins, `createQuestion(input: {prompt: "", kind: TEXT}) { userErrors { code } }`},
	"updateQuestion":        {admins, `updateQuestion(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"bookAppointment":       {"alice bob pete " + planners, `bookAppointment(input: {slotId: "` + nothing + `"}) { userErrors { code } }`},
	"createOrder":           {"alice bob pete " + planners, `createOrder(input: {appointmentId: "` + nothing + `"}) { userErrors { code } }`},

	"orderAudit":    {"alice bob pete " + cashiers, `orderAudit(orderId: "` + nothing + `") { total { amount } }`},
	"recordPayment": {"sid bea bess ada dana", `recordPayment(input: {orderId: "` + nothing + `", method: CASH, idempotencyKey: "k"}) { userErrors { code } }`},
	"refundOrder":   {cashiers, `refundOrder(input: {orderId: "` + nothing + `", reason: "none", idempotencyKey: "k"}) { userErrors { code } }`},
	"settleRefund":  {cashiers, `settleRefund(input: {refundId: "` + nothing + `", reference: "none", idempotencyKey: "k"}) { userErrors { code } }`},

	"sendMessage":   {talkers, `sendMessage(input: {roomId: "` + nothing + `", body: "Hello"}) { userErrors { code } }`},
	"markRoomRead":  {talkers, `markRoomRead(input: {roomId: "` + nothing + `", upTo: 1}) { userErrors { code } }`},
	"editMessage":   {talkers, `editMessage(input: {id: "` + nothing + `", body: "Hello"}) { userErrors { code } }`},
	"deleteMessage": {talkers, `deleteMessage(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"createUpload": {talkers, `createUpload(input: {roomId: "` + nothing + `", purpose: CHAT_ATTACHMENT, fileName: "a.png", contentType: "image/png", sizeBytes: 9}) {
		userErrors { code } }`},
	"manageChatRoom": {"dora drew dirk cleo sue ada dana", `manageChatRoom(input: {roomId: "` + nothing + `", action: SUSPEND}) { userErrors { code } }`},
	"deleteChatRoom": {admins, `deleteChatRoom(input: {roomId: "` + nothing + `"}) { userErrors { code } }`},
	"breakGlass":     {admins, `breakGlass(input: {roomId: "` + nothing + `", reason: "A complaint of the family"}) { userErrors { code } }`},
	"runJob":         {admins, `runJob(input: {name: "none"}) { userErrors { code } }`},
	"advanceClock":   {nobody, `advanceClock(input: {to: "2025-01-01T00:00:00Z"}) { userErrors { code } }`}, // outside a demo
	"setTyping":      {talkers, `setTyping(input: {roomId: "` + nothing + `", isTyping: true}) { userErrors { code } }`},

	"wards":            {signedIn, `wards(first: 1) { totalCount }`},
	"ward":             {signedIn, `ward(id: "` + nothing + `") { id }`},
	"admissions":       {signedIn, `admissions(first: 1) { totalCount }`},
	"admission":        {signedIn, `admission(id: "` + nothing + `") { id }`},
	"createWard":       {wardens, `createWard(input: {name: "", type: GENERAL}) { userErrors { code } }`},
	"updateWard":       {wardens, `updateWard(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"setWardRate":      {cashiers, `setWardRate(input: {wardId: "` + nothing + `", rate: "1.00"}) { userErrors { code } }`},
	"addBed":           {wardens, `addBed(input: {wardId: "` + nothing + `", number: "1"}) { userErrors { code } }`},
	"updateBed":        {wardens, `updateBed(input: {id: "` + nothing + `"}) { userErrors { code } }`},
	"admitPatient":     {healers, `admitPatient(input: {patientId: "` + nothing + `", bedId: "` + nothing + `", reason: "None"}) { userErrors { code } }`},
	"transferPatient":  {healers, `transferPatient(input: {admissionId: "` + nothing + `", bedId: "` + nothing + `"}) { userErrors { code } }`},
	"dischargePatient": {healers, `dischargePatient(input: {admissionId: "` + nothing + `"}) { userErrors { code } }`},
	"recordDeath":      {"dora drew dirk ada dana", `recordDeath(input: {admissionId: "` + nothing + `"}) { userErrors { code } }`},
	"addAdmissionCharge": {cashiers, `addAdmissionCharge(input: {admissionId: "` + nothing + `", description: "None", amount: "1.00", idempotencyKey: "k"}) {
		userErrors { code } }`},
	"registerNhia":             {wardens, `registerNhia(input: {patientId: "` + nothing + `", registrationNumber: "NONE"}) { userErrors { code } }`},
	"deactivateNhia":           {wardens, `deactivateNhia(input: {patientId: "` + nothing + `"}) { userErrors { code } }`},
	"chargeAdmissions":         {cashiers, `chargeAdmissions(input: {admissionId: "` + nothing + `", dryRun: true}) { userErrors { code } }`},
	"wallet":                   {signedIn, `wallet(patientId: "` + nothing + `") { id }`},
	"walletStatement":          {signedIn, `walletStatement(patientId: "` + nothing + `", from: "2025-01-01", to: "2025-01-02") { walletId }`},
	"balanceAt":                {signedIn, `balanceAt(patientId: "` + nothing + `", date: "2025-01-01") { amount }`},
	"verifyLedger":             {admins, `verifyLedger(patientId: "` + nothing + `") { isWhole }`},
	"trialBalance":             {cashiers, `trialBalance { isBalanced }`},
	"topUpWallet":              {cashiers, `topUpWallet(input: {patientId: "` + nothing + `", amount: "1.00", method: CASH, idempotencyKey: "k"}) { userErrors { code } }`},
	"adjustWallet":             {cashiers, `adjustWallet(input: {patientId: "` + nothing + `", amount: "1.00", reason: "None", idempotencyKey: "k"}) { userErrors { code } }`},
	"reverseWalletTransaction": {cashiers, `reverseWalletTransaction(input: {transactionId: "` + nothing + `", reason: "None", idempotencyKey: "k"}) { userErrors { code } }`},

	// These end sessions: they come last.
	"revokeOtherSessions": {signedIn, `revokeOtherSessions { userErrors { code } }`},
	"logout":              {signedIn, `logout { userErrors { code } }`},
}

// last are the operations that end sessions.
var last = []string{"revokeOtherSessions", "logout"}

// subscriptions lists every root field that is watched, in the same way; see also rooms.
var subscriptions = map[string]operation{
	"appointmentChanged": {parties, `appointmentChanged(appointmentId: "` + nothing + `") { __typename }`},
	"chatInbox":          {talkers, `chatInbox { __typename }`},
	"chatEvents":         {talkers + " ada", `chatEvents(roomId: "` + nothing + `") { __typename }`},
	"slotsChanged": {signedIn, `slotsChanged(practitionerId: "` + nothing + `", from: "2025-01-01T00:00:00Z", to: "2025-01-31T00:00:00Z") {
		__typename }`},
	"typing":         {talkers, `typing(roomId: "` + nothing + `") { __typename }`},
	"bedBoard":       {house, `bedBoard(wardId: "` + nothing + `") { wardId }`},
	"walletActivity": {signedIn, `walletActivity(patientId: "` + nothing + `") { __typename }`},
	"sessionEvents":  {signedIn, `sessionEvents { __typename }`},
}
