import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/** Adds a fact and asks for it, with Java's own HTTP client as it comes: it offers HTTP/2 with each request. */
public class Client {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0], key = arguments[1], fact = arguments[2], query = arguments[3];
        post(url + "/triples/add", key, fact);
        System.out.write(post(url + "/query", key, query));
        System.out.flush();
    }

    private static byte[] post(String url, String key, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
            .header("Authorization", "Bearer " + key)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build();
        var answer = CLIENT.send(request, BodyHandlers.ofByteArray());
        if (answer.statusCode() >= 300) {
            throw new IllegalStateException(answer.statusCode() + " " + new String(answer.body()));
        }
        return answer.body();
    }
}
