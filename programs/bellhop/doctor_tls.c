/* SPDX-License-Identifier: MIT */
/* Of bellhop doctor: what old phones cannot speak, and a certificate that ends. */
#include "io/udp.h"
#include "programs/bellhop/doctor.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { answer_wait_s = 3, days_low = 30 };

/* What a kind of phone offers. */
static const struct offer {
	const char *who;
	int version;	     /* the highest */
	const char *ciphers; /* up to TLS 1.2; NULL: all */
	enum doctor_level level;
} offers[] = {
	{"phones of today (TLS 1.3)", TLS1_3_VERSION, NULL, DOCTOR_WARNING},
	{"phones of the last ten years (TLS 1.2)", TLS1_2_VERSION, NULL, DOCTOR_FAULT},
	{"phones that know no elliptic curves (TLS 1.2, RSA)", TLS1_2_VERSION,
	 "AES128-SHA:AES256-SHA:AES128-SHA256:AES256-SHA256:@SECLEVEL=0", DOCTOR_WARNING},
	{"very old phones (TLS 1.0)", TLS1_VERSION, "ALL:@SECLEVEL=0", DOCTOR_NOTE},
};

/* Where to try the door from this machine. */
static struct endpoint reachable(struct endpoint endpoint)
{
	if (address_is_any(endpoint.address)) {
		endpoint.address = address_ipv4(127, 0, 0, 1);
	}
	return endpoint;
}

static int connect_to(struct endpoint endpoint)
{
	struct sockaddr_storage address;
	socklen_t length = udp_sockaddr(endpoint, 0, &address);
	struct timeval wait = {.tv_sec = answer_wait_s};
	int descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (descriptor < 0) {
		return -errno;
	}
	(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(descriptor, (const struct sockaddr *)&address, length) != 0) {
		int error = -errno;

		close(descriptor);
		return error;
	}
	return descriptor;
}

/* A handshake as such a phone does it; the certificate (the caller's) or NULL. */
static X509 *shake_hands(struct endpoint endpoint, const struct offer *offer)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *session = context ? SSL_new(context) : NULL;
	int descriptor = session ? connect_to(endpoint) : -ENOMEM;
	X509 *certificate = NULL;

	if (descriptor >= 0 && SSL_set_max_proto_version(session, offer->version) == 1 &&
	    SSL_set_min_proto_version(session, offer->version < TLS1_2_VERSION
						       ? offer->version
						       : TLS1_2_VERSION) == 1 &&
	    (!offer->ciphers || SSL_set_cipher_list(session, offer->ciphers) == 1) &&
	    SSL_set_fd(session, descriptor) == 1 && SSL_connect(session) == 1) {
		certificate = SSL_get1_peer_certificate(session);
	}
	ERR_clear_error();
	SSL_free(session);
	SSL_CTX_free(context);
	if (descriptor >= 0) {
		close(descriptor);
	}
	return certificate;
}

static void check_certificate(struct doctor *doctor, X509 *certificate)
{
	int days = 0;
	int seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) != 1) {
		return;
	}
	if (days < 0 || seconds < 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "tls",
			    "put a new one in its place and: systemctl reload bellhopd",
			    "the certificate of HTTPS ended %d days ago", -days);
	} else if (days < days_low) {
		doctor_tell(doctor, DOCTOR_WARNING, "tls",
			    "put a new one in its place and: systemctl reload bellhopd",
			    "the certificate of HTTPS ends in %d days", days);
	} else {
		doctor_tell(doctor, DOCTOR_OK, "tls", NULL,
			    "the certificate of HTTPS is good for %d days more", days);
	}
	if (X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) ==
	    0) {
		doctor_tell(doctor, DOCTOR_NOTE, "tls",
			    "give phones that check it this certificate as their trusted one, or "
			    "take one of a CA that they know",
			    "the certificate of HTTPS is signed by itself");
	}
}

static void try_offer(struct doctor *doctor, struct endpoint endpoint, const struct offer *offer,
		      bool *is_checked)
{
	X509 *certificate = shake_hands(endpoint, offer);

	if (certificate) {
		doctor_tell(doctor, DOCTOR_OK, "tls", NULL, "%s can speak to us", offer->who);
		if (!*is_checked) {
			check_certificate(doctor, certificate);
			*is_checked = true;
		}
	} else {
		doctor_tell(
			doctor, offer->level, "tls",
			offer->version < TLS1_2_VERSION
				? "give them an http:// URL on a network of their own, or newer "
				  "firmware"
				: "an RSA certificate of 2048 bits is what most phones know",
			"%s cannot speak to us", offer->who);
	}
	X509_free(certificate);
}

void doctor_check_tls(struct doctor *doctor)
{
	const struct configuration_listen *listen = &doctor->config.https_listen;
	bool is_checked = false;

	if (!doctor->status || listen->count == 0 || !configuration_serves_https(&doctor->config)) {
		return;
	}
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		try_offer(doctor, reachable(listen->endpoints[0]), &offers[i], &is_checked);
	}
}
